//! Whole screens, logs and tables, from hand-made events.

mod approval;
mod audit;
mod events;
mod graph;
mod live;
mod plain;
mod problems;
mod runs;

use sluice_report::{Look, Options};

pub const UNICODE: Look = Look { color: false, unicode: true };
pub const ASCII: Look = Look { color: false, unicode: false };
pub const COLOR: Look = Look { color: true, unicode: true };

/// Options with a workspace of three files.
pub fn options(look: Look) -> Options {
    let read = |path: &str| {
        Some(match path {
            "workflows/nightly.yaml" => include_str!("files/nightly.yaml").to_owned(),
            "app/Dockerfile" => "FROM ubuntu\n\tRUN apt-get install curl\nADD . /app\n".to_owned(),
            "app/config.py" => {
                "import os\nKEY, OTHER = \"AKIAQ7EXAMPLE2345\", \"漢字\"; TOKEN = \"ghp_aB3dE6\"\n".to_owned()
            }
            _ => return None,
        })
    };
    Options { look, record: Some(".sluice/runs/20261121-094512-7f3a".to_owned()), read_source: Box::new(read) }
}

/// Makes escape sequences visible, so that colours can be read in a snapshot.
pub fn visible(text: &str) -> String {
    text.replace('\u{1b}', "␛")
}
