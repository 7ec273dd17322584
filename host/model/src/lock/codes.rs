//! Codes of problems in locks.

use crate::problem::Explanation;

pub const SYNTAX: &str = "plan::lock-syntax";
pub const FIELD: &str = "plan::lock-field";
pub const VERSION: &str = "plan::lock-version";
pub const ENTRY: &str = "plan::lock-entry";

/// What `sluice explain` tells of them.
pub const CODES: &[Explanation] = &[
    Explanation {
        code: SYNTAX,
        title: "the lock is not valid YAML",
        text: "`sluice.lock` is one YAML 1.2 document of at most 1 MiB. The label shows where reading stopped. It is written by\n`sluice plugin add`, `update` and `sluice lock`; after a merge with conflicts, take one side and run `sluice lock`.",
    },
    Explanation {
        code: FIELD,
        title: "the lock has a field too many, too few, or of the wrong type",
        text: "The lock says what was accepted, so nothing in it is guessed. Restore it from version control, or make it anew:\n\n    sluice lock --accept",
    },
    Explanation {
        code: VERSION,
        title: "the lock has a format that this version does not read",
        text: "A newer Sluice has written it. Use that version, or write the lock again with this one.",
    },
    Explanation {
        code: ENTRY,
        title: "an entry of the lock is not right",
        text: "Each plugin stands in the lock once, with a source, the digest of its bytes, and what it declares. An artifact of a\nregistry has the digest of its manifest too. Restore the lock from version control, or accept the plugin again:\n\n    sluice plugin add REF --accept",
    },
];
