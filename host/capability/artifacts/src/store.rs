use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sluice_model::Digest;
use tempfile::NamedTempFile;

/// The longest description of an artifact, in bytes.
const DESCRIPTION_BYTES: u64 = 64 << 10;
const CHANGED: &str = "its bytes were changed after it was published";

/// Artifacts on disk: `sha256/HEX` holds the bytes, `sha256/HEX.json` the [`Info`]. An artifact is there whole or not at
/// all.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// Facts about an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Info {
    pub name: String,
    pub media_type: String,
    /// In bytes.
    pub size: u64,
}

/// An artifact that was just published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub digest: Digest,
    pub info: Info,
}

/// Looks at the bytes of an artifact before they are written; an error refuses the artifact.
pub type Watch = Box<dyn FnMut(&[u8]) -> Result<(), String> + Send>;

/// An artifact in the making. Dropping it leaves no trace.
pub struct Writer {
    store: Store,
    file: NamedTempFile,
    hash: Sha256,
    info: Info,
    size_limit: u64,
    watch: Option<Watch>,
    /// Why it can never be published.
    refused: Option<String>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("info", &self.info).field("refused", &self.refused).finish_non_exhaustive()
    }
}

/// An artifact being read.
#[derive(Debug)]
pub struct Reader {
    pub info: Info,
    file: File,
    hash: Sha256,
    digest: Digest,
}

impl Store {
    /// Nothing is created before the first artifact.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    fn folder(&self) -> PathBuf {
        self.root.join("sha256")
    }

    /// Starts an artifact of at most `size_limit` bytes. The error says what is wrong with the name, or what the disk
    /// refused.
    pub fn start(&self, name: &str, media_type: &str, size_limit: u64) -> Result<Writer, String> {
        let plain = |text: &str| !text.chars().any(char::is_control) && text.len() <= 255;
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\']) || !plain(name) {
            return Err(format!("`{}` is not a file name", name.escape_default()));
        }
        if !plain(media_type) || !media_type.contains('/') {
            return Err(format!("`{}` is not a media type, such as `application/gzip`", media_type.escape_default()));
        }
        let folder = self.folder();
        fs::create_dir_all(&folder).map_err(disk)?;
        let file = tempfile::Builder::new().prefix("staged-").tempfile_in(&folder).map_err(disk)?;
        let info = Info { name: name.to_owned(), media_type: media_type.to_owned(), size: 0 };
        Ok(Writer { store: self.clone(), file, hash: Sha256::new(), info, size_limit, watch: None, refused: None })
    }

    /// Opens an artifact; `None` when there is none of this digest. Its bytes are compared with the digest before any of them
    /// is given: who reads them may act on the first, and need not read to the end.
    pub fn open(&self, digest: &Digest) -> Result<Option<Reader>, String> {
        let path = self.folder().join(digest.hex());
        let info = match description(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| format!("its description is broken: {error}"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk(error)),
        };
        let mut file = match sluice_beneath::open_anywhere(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk(error)),
        };
        let mut hash = Sha256::new();
        io::copy(&mut file, &mut hash).and_then(|_| file.rewind()).map_err(disk)?;
        match Digest::from_bytes(hash.finalize().into()) == *digest {
            true => Ok(Some(Reader { info, file, hash: Sha256::new(), digest: *digest })),
            false => Err(CHANGED.to_owned()),
        }
    }
}

impl Writer {
    /// Has all bytes looked at that are written from here on.
    #[must_use]
    pub fn watched(self, watch: Watch) -> Self {
        Self { watch: Some(watch), ..self }
    }

    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        if self.refused.is_none() {
            self.refused = self.watch.as_mut().and_then(|watch| watch(bytes).err());
        }
        if let Some(why) = &self.refused {
            return Err(why.clone());
        }
        let size = self.info.size + bytes.len() as u64;
        if size > self.size_limit {
            return Err(format!("the artifact is larger than {} bytes, the most that is allowed", self.size_limit));
        }
        self.file.write_all(bytes).map_err(disk)?;
        self.hash.update(bytes);
        self.info.size = size;
        Ok(())
    }

    /// Publishes: once this returns, the artifact survives a crash. Publishing the same bytes again is no error; the
    /// first name stays.
    pub fn finish(self) -> Result<Published, String> {
        if let Some(why) = self.refused {
            return Err(why);
        }
        let digest = Digest::from_bytes(self.hash.finalize().into());
        let folder = self.store.folder();
        let path = folder.join(digest.hex());
        if !path.exists() {
            let text = serde_json::to_vec(&self.info).map_err(|error| error.to_string())?;
            let mut info = tempfile::Builder::new().prefix("staged-").tempfile_in(&folder).map_err(disk)?;
            info.write_all(&text).and_then(|()| info.as_file().sync_all()).map_err(disk)?;
            self.file.as_file().sync_all().map_err(disk)?;
            info.persist(path.with_extension("json")).map_err(|error| disk(error.error))?;
            self.file.persist(&path).map_err(|error| disk(error.error))?;
            File::open(&folder).and_then(|folder| folder.sync_all()).map_err(disk)?;
        }
        Ok(Published { digest, info: self.info })
    }
}

impl Reader {
    /// The next bytes, at most `max`; empty at the end. The end is an error if the bytes are not those that were published.
    pub fn read(&mut self, max: usize) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        (&self.file).take(max as u64).read_to_end(&mut bytes).map_err(disk)?;
        self.hash.update(&bytes);
        if bytes.is_empty() && max > 0 && Digest::from_bytes(self.hash.clone().finalize().into()) != self.digest {
            return Err(CHANGED.to_owned());
        }
        Ok(bytes)
    }
}

fn description(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    sluice_beneath::open_anywhere(&path.with_extension("json"))?.take(DESCRIPTION_BYTES).read_to_end(&mut text)?;
    Ok(text)
}

fn disk(error: io::Error) -> String {
    format!("the artifact store failed: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(store: &Store) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(store.folder())
            .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }

    #[test]
    fn an_artifact_is_read_as_it_was_written() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        let mut writer = store.start("a.txt", "text/plain", 100).unwrap();
        writer.write(b"ab").unwrap();
        writer.write(b"c").unwrap();
        let published = writer.finish().unwrap();
        // FIPS 180-2, appendix B.1
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(published.digest.hex(), abc);
        assert_eq!(files(&store), [abc.to_owned(), format!("{abc}.json")]);

        let mut reader = store.open(&published.digest).unwrap().unwrap();
        assert_eq!(reader.info, Info { name: "a.txt".into(), media_type: "text/plain".into(), size: 3 });
        assert_eq!(
            [reader.read(2).unwrap(), reader.read(2).unwrap(), reader.read(2).unwrap()],
            [&b"ab"[..], b"c", b""]
        );
    }

    #[test]
    fn an_artifact_that_was_changed_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        let mut writer = store.start("a", "text/plain", 10).unwrap();
        writer.write(b"good").unwrap();
        let digest = writer.finish().unwrap().digest;
        let mut reader = store.open(&digest).unwrap().unwrap();
        fs::write(store.folder().join(digest.hex()), "evil").unwrap();
        assert_eq!(store.open(&digest).unwrap_err(), CHANGED);
        // Changed while it was read.
        assert_eq!(reader.read(10).unwrap(), b"evil");
        assert_eq!(reader.read(10).unwrap_err(), CHANGED);
    }

    #[test]
    fn a_writer_that_is_dropped_leaves_no_trace() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        let mut writer = store.start("a", "text/plain", 2).unwrap();
        writer.write(b"ab").unwrap();
        assert!(writer.write(b"c").is_err(), "over the limit");
        drop(writer);
        assert_eq!(files(&store), [""; 0]);
    }

    #[test]
    fn an_artifact_that_was_refused_is_never_published() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        let refuse = |bytes: &[u8]| if bytes == b"bad" { Err("no".to_owned()) } else { Ok(()) };
        let mut writer = store.start("a", "text/plain", 100).unwrap().watched(Box::new(refuse));
        assert_eq!(writer.write(b"good"), Ok(()));
        assert_eq!(writer.write(b"bad"), Err("no".to_owned()));
        assert_eq!(writer.write(b"good"), Err("no".to_owned()), "nothing makes it good again");
        assert_eq!(writer.finish(), Err("no".to_owned()));
        assert_eq!(files(&store), [""; 0]);
    }

    #[test]
    fn a_name_is_a_name_and_not_a_path() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        for name in ["", ".", "..", "a/b", "../a", "a\\b", "a\nb", &"x".repeat(256)] {
            assert!(store.start(name, "text/plain", 1).is_err(), "{name:?}");
        }
        assert!(store.start("a", "nonsense", 1).is_err());
    }
}
