use std::fs::{self, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::Engine;

const KEY_FILE: &str = "key";
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 32;

/// Compiled components on disk.
///
/// Compiled code runs outside the sandbox, so only what this user wrote is read back: the folder and the key in it
/// belong to the user alone, and every file carries a keyed hash (HMAC-SHA-256, RFC 2104) of its name and content.
/// A read or a write that fails for any reason is a miss, never an error.
#[derive(Debug)]
pub struct CompileCache {
    folder: PathBuf,
    key: [u8; KEY_BYTES],
    engine: [u8; 32],
}

impl CompileCache {
    /// Opens the cache in `folder`, creating it if missing. `None` when the folder cannot be trusted or used: it belongs
    /// to somebody else, others may write to it, the disk refuses.
    pub fn open(folder: &Path, engine: &Engine) -> Option<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).ok()?;
        let meta = fs::symlink_metadata(folder).ok()?;
        let key_path = folder.join(KEY_FILE);
        let key = read_key(&key_path).or_else(|| write_key(folder, &key_path))?;
        // Whoever made the key is this process's user; the folder must be the same person's, and closed to others.
        let owner = fs::symlink_metadata(&key_path).ok()?.uid();
        if !meta.is_dir() || meta.uid() != owner || meta.mode() & 0o022 != 0 {
            return None;
        }
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Some(Self { folder: folder.to_owned(), key, engine: hasher.0.finalize().into() })
    }

    /// The compiled code of the component with this SHA-256 digest.
    pub fn get(&self, wasm_digest: &[u8; 32]) -> Option<Vec<u8>> {
        let name = self.name(wasm_digest);
        let mut code = fs::read(self.folder.join(&name)).ok()?;
        let body = code.len().checked_sub(TAG_BYTES)?;
        let tag = hmac(&self.key, &[name.as_bytes(), &code[..body]]);
        if !same(&tag, &code[body..]) {
            return None;
        }
        code.truncate(body);
        Some(code)
    }

    /// Keeps compiled code for [`Self::get`]: whole or not at all.
    pub fn put(&self, wasm_digest: &[u8; 32], code: &[u8]) {
        let name = self.name(wasm_digest);
        let tag = hmac(&self.key, &[name.as_bytes(), code]);
        // What cannot be kept is compiled again next time.
        let _ = write_whole(&self.folder, &self.folder.join(name), &[code, &tag]);
    }

    fn name(&self, wasm_digest: &[u8; 32]) -> String {
        format!("{}-{}", hex(wasm_digest), hex(&self.engine[..8]))
    }
}

fn read_key(path: &Path) -> Option<[u8; KEY_BYTES]> {
    let mut file = File::open(path).ok()?;
    if file.metadata().ok()?.mode() & 0o077 != 0 {
        return None;
    }
    let mut key = [0; KEY_BYTES];
    file.read_exact(&mut key).ok()?;
    Some(key)
}

/// Makes a key, or takes the one that another process made in the meantime.
fn write_key(folder: &Path, path: &Path) -> Option<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).ok()?;
    write_whole(folder, path, &[&key]).ok()?;
    read_key(path)
}

fn write_whole(folder: &Path, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let staged = folder.join(format!("{}-{}.staged", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staged)?;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        drop(file);
        fs::rename(&staged, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&staged);
    }
    written
}

fn hmac(key: &[u8; KEY_BYTES], parts: &[&[u8]]) -> [u8; TAG_BYTES] {
    let padded = |pad: u8| {
        let mut block = [pad; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let mut inner = Sha256::new_with_prefix(padded(0x36));
    for part in parts {
        inner.update(part);
    }
    Sha256::new_with_prefix(padded(0x5c)).chain_update(inner.finalize()).finalize().into()
}

/// Compares without telling by its time how much was right.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |differ, (l, r)| differ | (l ^ r)) == 0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Turns what [`Hash`] feeds into a digest that is the same in every process.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        u64::from_le_bytes(std::array::from_fn(|i| digest[i]))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn engine() -> Engine {
        Engine::new(&crate::engine_config()).expect("the configuration is valid")
    }

    #[test]
    fn what_was_put_is_got_back_by_a_later_process() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine();
        CompileCache::open(folder.path(), &engine).unwrap().put(&[1; 32], b"code");
        let later = CompileCache::open(folder.path(), &engine).unwrap();
        assert_eq!(later.get(&[1; 32]).as_deref(), Some(&b"code"[..]));
        assert_eq!(later.get(&[2; 32]), None);
    }

    #[test]
    fn a_file_that_was_changed_moved_or_cut_is_a_miss() {
        let folder = tempfile::tempdir().unwrap();
        let cache = CompileCache::open(folder.path(), &engine()).unwrap();
        cache.put(&[1; 32], b"code");
        let path = folder.path().join(cache.name(&[1; 32]));
        let whole = fs::read(&path).unwrap();

        fs::copy(&path, folder.path().join(cache.name(&[2; 32]))).unwrap();
        assert_eq!(cache.get(&[2; 32]), None, "another component's code");
        for i in 0..whole.len() {
            let mut changed = whole.clone();
            changed[i] ^= 1;
            fs::write(&path, &changed).unwrap();
            assert_eq!(cache.get(&[1; 32]), None, "byte {i} changed");
            fs::write(&path, &whole[..i]).unwrap();
            assert_eq!(cache.get(&[1; 32]), None, "cut to {i} bytes");
        }
        fs::write(&path, &whole).unwrap();
        assert!(cache.get(&[1; 32]).is_some());
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(CompileCache::open(folder.path(), &engine()).is_none());
    }

    #[test]
    fn a_key_that_others_can_read_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine();
        CompileCache::open(folder.path(), &engine).unwrap().put(&[1; 32], b"code");
        fs::set_permissions(folder.path().join(KEY_FILE), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(CompileCache::open(folder.path(), &engine).unwrap().get(&[1; 32]), None);
    }
}
