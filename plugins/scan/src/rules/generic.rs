//! Secrets that only their name gives away.

use std::ops::Range;

use crate::entropy::{changes, restlessness, shannon};
use crate::file::{File, Kind};
use crate::rule::Rule;
use crate::{assignment, base64, placeholder};

pub const RULES: &[Rule] = &[
    Rule::code("secret/basic-auth", "user and password of an `Authorization: Basic` header", &["authorization"], basic)
        .warning()
        .generic(),
    Rule::code("secret/generic", "value that looks random", NAMES, value).entropy(3.4).warning().generic(),
];

/// Parts of names that say that a value is secret.
const NAMES: &[&str] = &[
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "accesskey",
    "access-key",
    "private_key",
    "privatekey",
    "private-key",
    "auth_key",
    "authkey",
    "auth-key",
    "client_key",
    "clientkey",
    "encryption_key",
    "encryptionkey",
    "encryption-key",
    "signing_key",
    "signingkey",
    "signing-key",
    "master_key",
    "masterkey",
    "credential",
];

/// Parts of names that say that it is not, or not the value itself.
const HARMLESS: &[&str] = &[
    "public",
    "pub_key",
    "pubkey",
    "hash",
    "digest",
    "checksum",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "fingerprint",
    "tokenizer",
    "tokens",
    "tokenize",
    "token_type",
    "tokentype",
    "secret_name",
    "secretname",
    "secret-name",
    "key_id",
    "keyid",
    "key-id",
    "_file",
    "_path",
    "-file",
    "-path",
    "_url",
    "_uri",
    "_regex",
    "_pattern",
    "_prefix",
    "_suffix",
    "example",
    "expected",
    "csrf",
    "xsrf",
    "nonce",
    "next_token",
    "nexttoken",
    "page_token",
    "pagetoken",
    "next-page",
    "continuation",
    "commit",
    "revision",
    "integrity",
    "name_of",
    "keyword",
];

/// A literal of at least 16 letters, digits and signs that looks random: high entropy, letters and digits mixed, no
/// words, nothing that is written everywhere (digests, identifiers, versions, paths).
fn value(file: &File, keyword: Range<usize>) -> Option<Range<usize>> {
    if file.kind == Kind::Lock {
        return None;
    }
    let found = assignment::find(file, keyword)?;
    if !found.quoted && file.kind != Kind::Settings {
        return None;
    }
    let name = file.bytes[found.name.clone()].to_ascii_lowercase();
    let value = &file.bytes[found.value.clone()];
    let harmless = HARMLESS.iter().any(|part| name.windows(part.len()).any(|bytes| bytes == part.as_bytes()));
    if harmless || !plausible(value) || minified(file, found.value.start) {
        return None;
    }
    Some(found.value)
}

fn plausible(value: &[u8]) -> bool {
    let sort = |test: fn(&u8) -> bool| value.iter().filter(|byte| test(byte)).count();
    let (digits, letters) = (sort(u8::is_ascii_digit), sort(u8::is_ascii_alphabetic));
    let signs = value.len() - digits - letters;
    (16..=256).contains(&value.len())
        && value.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"+/=_-.~!@#%^&*".contains(&byte))
        && digits >= 2
        && letters >= 4
        && signs * 4 <= value.len()
        && shannon(value) >= 0.8 * (value.len().min(if is_hex(value) { 16 } else { 40 }) as f32).log2()
        && restlessness(value) >= 0.28
        && !is_uuid(value)
        && !placeholder::made_up(value)
        && !placeholder::wordy(value)
        && !looks_like_path(value)
}

fn is_hex(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_hexdigit)
}

/// UUIDs name things far more often than they guard them.
fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value
            .iter()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
}

/// Versions, host names, paths, names of resources: several parts between dots, dashes or slashes, none of which looks
/// random by itself.
fn looks_like_path(value: &[u8]) -> bool {
    let dots = value.iter().filter(|&&byte| byte == b'.').count();
    let mut parts = value.split(|byte| b"-_./".contains(byte));
    let calm = parts.clone().count() >= 3 && parts.all(|part| changes(part) <= 3);
    value.starts_with(b"/") || value.starts_with(b"./") || dots >= 3 || calm
}

/// Whether the line is too long to be written by a person.
fn minified(file: &File, at: usize) -> bool {
    let before = file.bytes[..at].iter().rev().take(1000).take_while(|&&byte| byte != b'\n').count();
    let after = file.bytes[at..].iter().take(1000 - before).take_while(|&&byte| byte != b'\n').count();
    before + after >= 1000
}

/// `Authorization: Basic` with the base64 of `user:password` (RFC 7617).
fn basic(file: &File, keyword: Range<usize>) -> Option<Range<usize>> {
    let found = assignment::find(file, keyword)?;
    let before = &file.bytes[..found.value.start];
    if !before.ends_with(b"Basic ") && !before.ends_with(b"basic ") {
        return None;
    }
    let pair = base64::decode(&file.bytes[found.value.clone()])?;
    let colon = pair.iter().position(|&byte| byte == b':')?;
    let password = &pair[colon + 1..];
    let printable = pair.iter().all(|&byte| byte.is_ascii_graphic() || byte == b' ');
    let strong = password.len() >= 8 && shannon(password) >= 2.5 && password.iter().any(u8::is_ascii_digit);
    (printable && strong && !placeholder::made_up(password) && !placeholder::wordy(password)).then_some(found.value)
}
