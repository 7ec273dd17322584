//! Reading a `zip`.

use sluice_sdk::Failure;
use zip::ZipArchive;

use super::rewind::Rewind;
use super::{Item, Open, Visit, damaged, refused};

/// What a Unix mode says about the kind of file.
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;
const LINK: u32 = 0o120_000;

pub fn each(open: &Open, size: u64, visit: &mut Visit) -> Result<(), Failure> {
    let mut archive = ZipArchive::new(Rewind::new(open, size).map_err(damaged)?).map_err(damaged)?;
    // In the order of their place in the archive, so that it is read forwards.
    let mut order = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        order.push((archive.by_index_data(index).map_err(damaged)?.header_start(), index));
    }
    order.sort_unstable();
    for (_, index) in order {
        let mut file = archive.by_index(index).map_err(damaged)?;
        let path = file.name().map_err(damaged)?.into_owned();
        match file.unix_mode().map_or(0, |mode| mode & KIND) {
            0 | REGULAR | FOLDER => {}
            LINK => return Err(refused(&format!("`{path}` is a symbolic link"))),
            _ => return Err(refused(&format!("`{path}` is neither a file nor a folder"))),
        }
        let item = if file.is_dir() { Item::Folder } else { Item::File(&mut file) };
        visit(&path, item)?;
    }
    Ok(())
}
