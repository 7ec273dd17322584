//! Keys and signed tokens with a structure of their own.

use std::ops::Range;

use crate::base64;
use crate::file::File;
use crate::rule::{Rule, Verdict};

pub const RULES: &[Rule] = &[
    Rule::code("secret/private-key", "private key", &["-----begin"], private_key).check(key_material),
    Rule::token(
        "secret/private-key-base64",
        "base64 form of a private key",
        &["LS0tLS1CRUdJTi"],
        "[0-9A-Za-z+/]{100,}={0,2}",
    )
    .reach(8192)
    .check(encoded_key),
    Rule::code("secret/putty-key", "PuTTY private key", &["putty-user-key-file-"], putty_key),
    Rule::token(
        "secret/age-identity",
        "age secret key",
        &["AGE-SECRET-KEY-1"],
        "[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
    ),
    Rule::token(
        "secret/jwt",
        "JSON Web Token",
        &["eyJ"],
        r"[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{16,}",
    )
    .reach(9100)
    .check(jwt)
    .warning(),
];

/// The longest armour that is looked through: 16 KiB hold an RSA key of 16,384 bits.
const LONGEST: usize = 16 * 1024;

/// A whole PEM or OpenPGP armour (RFC 7468, RFC 4880 §6.2) of a private key, also with `\n` for its line ends. Armour
/// around less than 64 characters of base64 is only mentioned, not used.
pub fn private_key(file: &File, keyword: Range<usize>) -> Option<Range<usize>> {
    let start = keyword.start;
    let armour = &file.bytes[start..file.bytes.len().min(start + LONGEST)];
    let label = armour.strip_prefix(b"-----BEGIN ")?;
    let label = &label[..label.iter().take(64).position(|&byte| !matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b' '))?];
    if !label.ends_with(b"PRIVATE KEY") && !label.ends_with(b"PRIVATE KEY BLOCK") {
        return None;
    }
    let head = 11 + label.len() + 5;
    if armour.get(11 + label.len()..head) != Some(b"-----") {
        return None;
    }
    let body = armour[head..].windows(5).position(|bytes| bytes == b"-----")? + head;
    let tail = [b"-----END ", label, b"-----"].concat();
    if !armour[body..].starts_with(&tail) || material(&armour[head..body]).len() < 64 {
        return None;
    }
    Some(start..start + body + tail.len())
}

/// The base64 of an armour: headers, escapes, quotes and white space left out.
fn material(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body).replace("\\r", "").replace("\\n", "\n");
    text.lines()
        .filter(|line| !line.contains(": "))
        .flat_map(|line| line.bytes())
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        .collect()
}

/// Unencrypted keys begin with a DER sequence or the OpenSSH magic; OpenPGP is taken as it is.
fn key_material(armour: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(armour);
    if text.contains("ENCRYPTED") {
        return Verdict::Doubtful("it is encrypted");
    }
    if text.contains("PGP PRIVATE") {
        return Verdict::Verified;
    }
    let Some(head) = text.get(10..).and_then(|rest| rest.find("-----")).map(|at| at + 15) else { return Verdict::No };
    let end = text.rfind("-----END").unwrap_or(text.len());
    let material = material(&armour[head.min(armour.len())..end.min(armour.len())]);
    match base64::decode(&material[..material.len() / 4 * 4]) {
        Some(key) if key.first() == Some(&0x30) || key.starts_with(b"openssh-key-v1\0") => Verdict::Verified,
        _ => Verdict::Doubtful("its content is not a key that can be read"),
    }
}

fn encoded_key(text: &[u8]) -> Verdict {
    let body = &text[..text.len() / 4 * 4];
    match base64::decode(body) {
        Some(pem) if pem[..pem.len().min(64)].windows(12).any(|bytes| bytes == b"PRIVATE KEY-") => Verdict::Verified,
        _ => Verdict::No,
    }
}

/// The private part of a key file of PuTTY, unless it is encrypted.
fn putty_key(file: &File, keyword: Range<usize>) -> Option<Range<usize>> {
    let text = &file.bytes[keyword.start..file.bytes.len().min(keyword.start + LONGEST)];
    let find = |needle: &[u8]| text.windows(needle.len()).position(|bytes| bytes.eq_ignore_ascii_case(needle));
    find(b"\nencryption: none")?;
    let private = find(b"\nprivate-lines: ")?;
    let body = private + text[private + 1..].iter().position(|&byte| byte == b'\n')? + 2;
    let length =
        text[body..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(byte)).count();
    let end = body + text[body..body + length].trim_ascii_end().len();
    // The MAC line begins with letters, which are not part of the key.
    let end = text[body..end].iter().rposition(|&byte| byte == b'\n').map_or(end, |at| body + at);
    (end > body + 32).then_some(keyword.start + body..keyword.start + end)
}

/// RFC 7519 and RFC 7515: a JSON header with `alg`, JSON claims, and a signature.
fn jwt(token: &[u8]) -> Verdict {
    let parts: Vec<_> = token.split(|&byte| byte == b'.').map(base64::decode).collect();
    let [Some(header), Some(claims), Some(_)] = parts.as_slice() else { return Verdict::No };
    let object = |bytes: &[u8]| serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes).ok();
    let (Some(header), Some(claims)) = (object(header), object(claims)) else { return Verdict::No };
    // The claims with which jwt.io greets, and which every manual repeats.
    let greeting = claims.get("name").is_some_and(|name| name == "John Doe")
        || claims.get("sub").is_some_and(|subject| subject == "1234567890");
    if !header.contains_key("alg") || greeting { Verdict::No } else { Verdict::Verified }
}
