//! Passwords in URLs.

use std::ops::Range;

use crate::file::File;
use crate::placeholder;
use crate::rule::Rule;

pub const RULES: &[Rule] =
    &[Rule::code("secret/url-password", "password in a URL", &["://"], password).entropy(2.0).warning().generic()];

/// The password of `scheme://user:password@host` (RFC 3986 §3.2.1) when it is neither a placeholder nor a word, and the
/// host is not this machine or an example.
fn password(file: &File, separator: Range<usize>) -> Option<Range<usize>> {
    let bytes = file.bytes;
    let scheme = bytes[..separator.start]
        .iter()
        .rev()
        .take(16)
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'+');
    if scheme.count() < 2 {
        return None;
    }
    let start = separator.end;
    let authority: &[u8] = &bytes[start..bytes.len().min(start + 320)];
    let length = authority.iter().position(|&byte| {
        byte.is_ascii_whitespace() || !byte.is_ascii_graphic() || b"/?#\"'`<>\\{}()[]|,;".contains(&byte)
    });
    let authority = &authority[..length.unwrap_or(authority.len())];
    let at = authority.iter().rposition(|&byte| byte == b'@')?;
    let colon = authority[..at].iter().position(|&byte| byte == b':')?;
    let (user, secret, host) = (&authority[..colon], &authority[colon + 1..at], &authority[at + 1..]);
    let plain =
        |text: &[u8]| text.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"._-~%!$&*+=:@^".contains(&byte));
    let decoded = percent_decoded(secret);
    let digits = decoded.iter().any(u8::is_ascii_digit);
    let letters = decoded.iter().any(u8::is_ascii_alphabetic);
    let strong = decoded.len() >= 8 && digits && letters || decoded.len() >= 16;
    if !plain(secret) || !strong || placeholder::made_up(&decoded) || placeholder::wordy(&decoded) {
        return None;
    }
    if local(host) || host.is_empty() || placeholder::variable(user) {
        return None;
    }
    Some(start + colon + 1..start + at)
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        let escape = (byte == b'%').then(|| tail.get(..2)).flatten();
        match escape.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()) {
            Some(code) => {
                decoded.push(code);
                rest = &tail[2..];
            }
            None => {
                decoded.push(byte);
                rest = tail;
            }
        }
    }
    decoded
}

fn local(host: &[u8]) -> bool {
    let host = String::from_utf8_lossy(host).to_ascii_lowercase();
    let name = host.split(':').next().unwrap_or_default();
    ["localhost", "127.0.0.1", "0.0.0.0", "host", "hostname", "server", "domain", "proxy"].contains(&name)
        || name.contains("example")
        || ["foo", "bar", "test", "invalid", "dummy", "localhost"]
            .iter()
            .any(|label| name.split('.').any(|part| part == *label))
}
