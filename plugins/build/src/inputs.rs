//! What the workflow says under `with`.

use std::fmt;

use serde::Deserialize;
use sluice_sdk::Failure;
use sluice_sdk::files::relative;

/// The inputs, as the schema in `plugin.yaml` describes them.
#[derive(Debug, Clone, Deserialize)]
pub struct Inputs {
    pub files: Vec<String>,
    pub exclude: Vec<String>,
    pub from: String,
    pub ignored: bool,
    pub format: Format,
    pub name: String,
    pub prefix: String,
    pub epoch: u32,
    pub executable: Vec<String>,
    pub checksums: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Format {
    #[serde(rename = "tar.gz")]
    TarGz,
    #[serde(rename = "zip")]
    Zip,
}

impl Format {
    /// As registered with IANA.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::TarGz => "application/gzip",
            Format::Zip => "application/zip",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::TarGz => "tar.gz",
            Format::Zip => "zip",
        })
    }
}

impl Inputs {
    /// Brings `from` and `prefix` into the one spelling `a/b`. Refuses what leads out of the workspace or the archive.
    pub fn checked(mut self) -> Result<Self, Failure> {
        let problems: Vec<String> = [("from", &mut self.from), ("prefix", &mut self.prefix)]
            .into_iter()
            .filter_map(|(input, path)| match relative(path) {
                Ok(normal) => {
                    *path = normal;
                    None
                }
                Err(problem) => Some(format!("input `{input}`: {problem}")),
            })
            .collect();
        if !problems.is_empty() {
            return Err(Failure::invalid_input(problems.join("; ")));
        }
        if self.from.is_empty() {
            ".".clone_into(&mut self.from);
        }
        Ok(self)
    }

    /// Name of the archive with its ending.
    pub fn file_name(&self) -> String {
        format!("{}.{}", self.name, self.format)
    }
}
