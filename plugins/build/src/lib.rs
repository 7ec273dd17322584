//! Packs files into a reproducible archive and publishes it as an artifact.
//!
//! What could differ between two machines is left out or fixed: entries are sorted by name, every file has the same
//! modification time, owner 0 and one of two modes, and the compressor, its level and its headers are constants. See
//! [reproducible-builds.org](https://reproducible-builds.org/docs/archives/).

mod archive;
mod inputs;
mod publish;
mod walk;

use std::path::Path;

use sluice_sdk::files::Globs;
use sluice_sdk::{Build, Failure, Sink, Step};

use archive::Entry;
use inputs::Inputs;

struct Plugin;

impl Build for Plugin {
    fn build(step: &Step, sink: &Sink) -> Result<(), Failure> {
        let inputs = step.inputs::<Inputs>()?.checked()?;
        let globs = Globs::new(&inputs.files, &inputs.exclude)?;
        let executable = Globs::new(&inputs.executable, &[])?;
        let candidates = if inputs.ignored {
            walk::regular_files(Path::new(&inputs.from))?
        } else {
            walk::below(&inputs.from, step.files::<&str>(&[])?)
        };
        let entries = Entry::sorted(candidates, &inputs, &globs, &executable)?;
        publish::publish(step, sink, &inputs, &entries)
    }
}

sluice_sdk::plugin!(Plugin: Build, "plugin.yaml");
