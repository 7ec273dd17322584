use std::fmt;
use std::sync::Arc;

use sluice_model::grant::{ArtifactGrant, Capability};
use sluice_model::{Audit, Denial, Digest, Ruling};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use crate::store::{Published, Reader, Store, Watch, Writer};
use bindings::sluice::host::artifacts;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../../wit/deps/host",
        interfaces: "import sluice:host/artifacts@1.0.0;",
        with: {
            "sluice:host/artifacts.writer": crate::store::Writer,
            "sluice:host/artifacts.reader": crate::store::Reader,
        },
        imports: { default: trappable },
    });
}

/// The most that one `read` returns, in bytes.
const READ_BYTES: u64 = 1 << 20;

/// What one step may do with artifacts.
pub struct Artifacts {
    pub granted: Vec<ArtifactGrant>,
    pub store: Store,
    /// The largest artifact, in bytes.
    pub size_limit: u64,
    pub audit: Audit,
    /// Makes what looks at an artifact of this name while it is written.
    pub watch: Arc<dyn Fn(&str) -> Watch + Send + Sync>,
    /// Told of each artifact that is published.
    pub published: Arc<dyn Fn(&Published) + Send + Sync>,
}

impl fmt::Debug for Artifacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Artifacts").field("granted", &self.granted).finish_non_exhaustive()
    }
}

/// State that has artifacts.
pub trait ArtifactsView: 'static {
    fn artifacts(&mut self) -> (&mut Artifacts, &mut ResourceTable);
}

struct HasArtifacts;

impl HasData for HasArtifacts {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    artifacts: &'a mut Artifacts,
    table: &'a mut ResourceTable,
}

/// Adds `sluice:host/artifacts`.
pub fn add_to_linker<T: ArtifactsView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    artifacts::add_to_linker::<T, HasArtifacts>(linker, |state| {
        let (artifacts, table) = state.artifacts();
        View { artifacts, table }
    })
}

impl Artifacts {
    /// `which` is the name or the digest.
    fn check(&self, grant: ArtifactGrant, doing: &str, which: &str) -> Result<(), artifacts::Error> {
        if self.granted.contains(&grant) {
            let asked = format!("{doing} the artifact `{}`", which.escape_debug());
            self.audit.decide(Ruling::allowed(Capability::Artifacts, asked, grant));
            return Ok(());
        }
        let denial = Denial::new(Capability::Artifacts, format!("{doing} artifacts"), grant.to_string());
        Err(artifacts::Error::Denied(self.audit.deny(denial)))
    }
}

type Fallible<T> = wasmtime::Result<Result<T, artifacts::Error>>;

impl artifacts::Host for View<'_> {}

impl artifacts::HostWriter for View<'_> {
    fn start(&mut self, name: String, media_type: String) -> Fallible<Resource<Writer>> {
        if let Err(denied) = self.artifacts.check(ArtifactGrant::Write, "publishing", &name) {
            return Ok(Err(denied));
        }
        // The description stands beside the bytes, and is looked through like them.
        if let Err(why) = (self.artifacts.watch)(&name)(format!("{name}\n{media_type}\n").as_bytes()) {
            return Ok(Err(artifacts::Error::Failed(why)));
        }
        match self.artifacts.store.start(&name, &media_type, self.artifacts.size_limit) {
            Ok(writer) => Ok(Ok(self.table.push(writer.watched((self.artifacts.watch)(&name)))?)),
            Err(error) => Ok(Err(artifacts::Error::Failed(error))),
        }
    }

    fn write(&mut self, writer: Resource<Writer>, bytes: Vec<u8>) -> Fallible<()> {
        Ok(self.table.get_mut(&writer)?.write(&bytes).map_err(artifacts::Error::Failed))
    }

    fn finish(&mut self, writer: Resource<Writer>) -> Fallible<String> {
        Ok(match self.table.delete(writer)?.finish() {
            Ok(published) => {
                (self.artifacts.published)(&published);
                Ok(published.digest.to_string())
            }
            Err(error) => Err(artifacts::Error::Failed(error)),
        })
    }

    fn drop(&mut self, writer: Resource<Writer>) -> wasmtime::Result<()> {
        self.table.delete(writer)?;
        Ok(())
    }
}

impl artifacts::HostReader for View<'_> {
    fn open(&mut self, digest: String) -> Fallible<Resource<Reader>> {
        if let Err(denied) = self.artifacts.check(ArtifactGrant::Read, "reading", &digest) {
            return Ok(Err(denied));
        }
        let unknown = |digest: &str| artifacts::Error::NotFound(format!("no artifact `{digest}` belongs to this run"));
        let Ok(parsed) = digest.parse::<Digest>() else {
            return Ok(Err(unknown(&digest)));
        };
        match self.artifacts.store.open(&parsed) {
            Ok(Some(reader)) => Ok(Ok(self.table.push(reader)?)),
            Ok(None) => Ok(Err(unknown(&digest))),
            Err(error) => Ok(Err(artifacts::Error::Failed(error))),
        }
    }

    fn info(&mut self, reader: Resource<Reader>) -> wasmtime::Result<artifacts::Info> {
        let info = &self.table.get(&reader)?.info;
        Ok(artifacts::Info { name: info.name.clone(), media_type: info.media_type.clone(), size: info.size })
    }

    fn read(&mut self, reader: Resource<Reader>, max: u64) -> Fallible<Vec<u8>> {
        let max = max.min(READ_BYTES) as usize;
        Ok(self.table.get_mut(&reader)?.read(max).map_err(artifacts::Error::Failed))
    }

    fn drop(&mut self, reader: Resource<Reader>) -> wasmtime::Result<()> {
        self.table.delete(reader)?;
        Ok(())
    }
}
