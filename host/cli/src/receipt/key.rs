//! Keys that sign receipts: ed25519 in PEM, as `openssl genpkey -algorithm ed25519` makes them.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};
use sluice_model::{Digest, Problem};

/// PKCS#8 version 1 (RFC 8410) up to the 32 bytes of the key.
const PRIVATE_PREFIX: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// SubjectPublicKeyInfo (RFC 8410) up to the 32 bytes of the key.
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
const PRIVATE: &str = "PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";
/// A key file is a few lines, in bytes.
const MAX_BYTES: u64 = 16 << 10;
/// Whoever else may read or write the file.
const OTHERS: u32 = 0o077;

/// Signs.
pub struct SigningKey(Ed25519KeyPair);

/// Checks signatures.
pub struct PublicKey([u8; 32]);

fn problem(file: &Path, reason: impl Into<String>) -> Problem {
    Problem::new("host::key", format!("the key `{}` cannot be used", file.display())).cause(reason.into())
}

/// Makes a pair of keys: the private one in `file`, which nobody else may read, the public one beside it.
///
/// # Errors
/// A file that is there already, or cannot be written.
pub fn create(file: &Path, shown: &Path) -> Result<PublicKey, Problem> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| problem(shown, format!("the system gives no random bytes: {error}")))?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| problem(shown, error.to_string()))?;
    let public = SigningKey(pair).public();
    let failed = |shown: &Path| {
        let shown = shown.display().to_string();
        move |error: std::io::Error| {
            let problem = Problem::new("host::key", format!("cannot write the key `{shown}`")).cause(error.to_string());
            match error.kind() {
                std::io::ErrorKind::AlreadyExists => problem.help("choose another name; no key is overwritten"),
                _ => problem,
            }
        }
    };
    let beside = |path: &Path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".pub");
        std::path::PathBuf::from(name)
    };
    let write = |path: &Path, mode: u32, text: String| -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write(file, 0o600, pem(PRIVATE, &[&PRIVATE_PREFIX[..], &seed].concat())).map_err(failed(shown))?;
    if let Err(error) = write(&beside(file), 0o644, public.to_pem()) {
        // A private key without its public one is of no use, and was never told.
        let _ = fs::remove_file(file);
        return Err(failed(&beside(shown))(error));
    }
    Ok(public)
}

impl SigningKey {
    /// Reads a private key.
    ///
    /// # Errors
    /// A file that is no such key, or that others may read.
    pub fn read(file: &Path, shown: &Path) -> Result<Self, Problem> {
        let opened = File::open(file).map_err(|error| problem(shown, error.to_string()))?;
        let mode = opened.metadata().map_err(|error| problem(shown, error.to_string()))?.mode();
        if mode & OTHERS != 0 {
            return Err(problem(shown, format!("others may read or write it: its mode is {:03o}", mode & 0o777))
                .help(format!("chmod 600 {}; if others may have read it, make another key", shown.display())));
        }
        let der = read_pem(opened, PRIVATE).map_err(|reason| problem(shown, reason))?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
            .map(Self)
            .map_err(|error| problem(shown, format!("it is no ed25519 key in PKCS#8: {error}")))
    }

    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(bytes)
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }
}

impl PublicKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// A file that is no such key.
    pub fn read(file: &Path, shown: &Path) -> Result<Self, Problem> {
        let opened = File::open(file).map_err(|error| problem(shown, error.to_string()))?;
        let der = read_pem(opened, PUBLIC).map_err(|reason| problem(shown, reason))?;
        let key = der.strip_prefix(&PUBLIC_PREFIX).and_then(|key| key.try_into().ok());
        key.map(Self).ok_or_else(|| problem(shown, "it is no public ed25519 key"))
    }

    /// SHA-256 of the key as it stands in its file, in hex.
    pub fn id(&self) -> String {
        Digest::from_bytes(Sha256::digest(self.to_der()).into()).hex().to_owned()
    }

    fn to_der(&self) -> Vec<u8> {
        [&PUBLIC_PREFIX[..], &self.0].concat()
    }

    fn to_pem(&self) -> String {
        pem(PUBLIC, &self.to_der())
    }

    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

/// Short enough for one line of base64.
fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn read_pem(file: File, label: &str) -> Result<Vec<u8>, String> {
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(|error| error.to_string())?;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let inner = text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)).map(|(inner, _)| inner);
    let inner = inner.ok_or_else(|| format!("it has no block `{begin}`"))?;
    let packed: String = inner.split_whitespace().collect();
    STANDARD.decode(packed).map_err(|error| format!("it is not base64: {error}"))
}
