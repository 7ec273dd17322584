//! Going back.

use sluice_sdk::Failure;

use crate::apply::Receipt;
use crate::target::Target;
use crate::tree::short;

/// Makes `current` lead where it led before, and tells what was done. The release that is left stays on the disk.
///
/// Fails when something else was deployed since, and when the previous release is gone.
pub fn rollback(target: &Target, receipt: &Receipt, key: &str) -> Result<String, Failure> {
    let world = target.world()?;
    if !receipt.changed || world.current == receipt.previous {
        return Ok("nothing to roll back".to_owned());
    }
    if world.current.as_ref() != Some(&receipt.release) {
        let found = world.current.map_or("nothing".to_owned(), |name| format!("`{name}`"));
        return Err(Failure::failed(format!(
            "cannot roll back `{}`: `current` leads to {found} by now",
            receipt.release
        )));
    }
    match &receipt.previous {
        None => {
            target.unlink()?;
            Ok(format!("removed `current`, which led to `{}`", receipt.release))
        }
        Some(previous) if !world.releases.contains(previous) => Err(Failure::failed(format!(
            "cannot roll back `{}`: the previous release `{previous}` is gone",
            receipt.release
        ))),
        Some(previous) => {
            target.switch(previous, &short(key))?;
            Ok(format!("`current` leads to `{previous}` again"))
        }
    }
}
