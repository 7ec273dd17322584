//! `authorization: Basic …` (RFC 7617): what stands in its base64.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Some leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// User and password, `user:password`, if the header holds such.
pub fn credentials(header: &str) -> Option<String> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()
}

/// The header for `user:password`.
pub fn header(credentials: &str) -> String {
    format!("Basic {}", BASE64.encode(credentials))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_and_written() {
        // RFC 7617, section 2.
        assert_eq!(credentials("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").as_deref(), Some("Aladdin:open sesame"));
        assert_eq!(header("Aladdin:open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(credentials("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ").as_deref(), Some("Aladdin:open sesame"));
        for other in ["Bearer QWxh", "Basic", "Basic %%%", "Basic /w=="] {
            assert_eq!(credentials(other), None, "{other}");
        }
    }
}
