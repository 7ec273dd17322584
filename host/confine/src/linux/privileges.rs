//! Capabilities of root, which reach further than files: one of them reads the memory of any process, whatever Landlock says.

use caps::{CapSet, Capability};

/// What a program may still do as root: own and change the files that it was granted, be another user, end its own
/// processes, listen on low ports.
const KEPT: [Capability; 8] = [
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_FOWNER,
    Capability::CAP_FSETID,
    Capability::CAP_KILL,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_SETGID,
    Capability::CAP_SETUID,
];

/// Takes all other capabilities from what the calling thread starts, for good. The thread keeps its own.
///
/// # Errors
/// If it has some and cannot give them away.
pub fn restrict() -> Result<(), String> {
    let cannot = |error: caps::errors::CapsError| format!("capabilities: {error}");
    let has = |set| caps::read(None, set).map_err(cannot);
    if has(CapSet::Permitted)?.is_empty() && has(CapSet::Inheritable)?.is_empty() {
        // Whoever has none gets none: no program gives rights any more.
        return Ok(());
    }
    caps::clear(None, CapSet::Ambient).map_err(cannot)?;
    caps::clear(None, CapSet::Inheritable).map_err(cannot)?;
    for capability in has(CapSet::Bounding)?.into_iter().filter(|capability| !KEPT.contains(capability)) {
        caps::drop(None, CapSet::Bounding, capability).map_err(cannot)?;
    }
    Ok(())
}
