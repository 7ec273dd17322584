//! Events <-> disk.
//!
//! Every run leaves a folder below `.sluice/runs`, named by its [`RunId`]:
//!
//! | file | what | how it is written |
//! |---|---|---|
//! | `plan.json` | what the run was to do | staged, synced, renamed |
//! | `workflow.yaml` | the text that the plan was made from | staged, synced, renamed |
//! | `events.jsonl` | one event a line, in order; the truth | appended in groups, one sync a tick; locked while the run lives |
//! | `origin.json` | from what the plan can be made again | staged, synced, renamed, at the start |
//! | `summary.json` | [`RunInfo`], so that listing runs does not read events; a cache | staged, renamed, at the end |
//!
//! Every line of `events.jsonl` ends with a hash over itself and all before it, and the first also tells the digests of the
//! files: [`Run::verify`] finds what was changed afterwards.
//!
//! An event counts once its line feed is on the disk: a last line without one is what a crash left, and is ignored and
//! told. When an event cannot be written, the file becomes `events.incomplete.jsonl`, and nothing more is added: the run goes on,
//! its record does not, and nobody can resume it. A summary that is missing or damaged is made again from the events. Nothing follows a symbolic link.

mod chain;
mod error;
mod events;
mod folder;
mod id;
mod info;
mod prune;
mod read;
mod recorder;
mod writer;

pub use chain::Verified;
pub use error::RecordError;
pub use events::{Events, TornTail};
pub use id::RunId;
pub use info::{RunInfo, State, StepCounts};
pub use prune::{Pruned, Retention, prune};
pub use read::{Entry, Run, list, open};
pub use recorder::{Contents, Recorder};
