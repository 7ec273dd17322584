//! Reading a `tar.gz`.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use sluice_sdk::Failure;
use tar::{Archive, EntryType};

use super::{Item, Visit, damaged, refused};

pub fn each(reader: impl Read, visit: &mut Visit) -> Result<(), Failure> {
    let mut archive = Archive::new(MultiGzDecoder::new(reader));
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let path = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|error| refused(&format!("the name `{}` is not UTF-8", error.as_bytes().escape_ascii())))?;
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => visit(&path, Item::File(&mut entry))?,
            EntryType::Directory => visit(&path, Item::Folder)?,
            // Facts about the whole archive, such as the commit that `git archive` made it of.
            EntryType::XGlobalHeader => {}
            EntryType::Symlink => return Err(refused(&format!("`{path}` is a symbolic link"))),
            EntryType::Link => return Err(refused(&format!("`{path}` is a hard link"))),
            _ => return Err(refused(&format!("`{path}` is neither a file nor a folder"))),
        }
    }
    Ok(())
}
