//! Events -> eyes and machines.
//!
//! | module | for |
//! |---|---|
//! | [`problems`] | what is wrong with a workflow, a command line, a record |
//! | [`Live`] | a terminal: a moving part for what runs, a scroll-back for what ended |
//! | [`Plain`] | logs and pipes: one line after another, each with its job and step |
//! | [`json`] | other programs: one event a line |
//! | [`graph`] | the jobs of a workflow as a picture |
//! | [`approval`] | what a person is asked before a job, and what the person said |
//! | [`runs`] | looking at recorded runs |
//! | [`audit`] | what the host allowed and denied |
//!
//! Nothing here prints or asks the environment: [`Look`] and sizes are given, text is given back. Whatever comes from
//! plugins or files passes `text::clean`, so that it cannot speak to the terminal.

pub mod approval;
pub mod audit;
mod excerpt;
mod failure;
mod finding;
pub mod graph;
pub mod json;
mod live;
mod look;
mod plain;
pub mod problems;
pub mod runs;
mod step;
mod summary;
mod text;

pub use live::{Live, Size};
pub use look::Look;
pub use plain::Plain;

/// Gives the text of a file of the workspace by its path there, for frames of code; `None` if it cannot be read.
pub type ReadSource = Box<dyn Fn(&str) -> Option<String> + Send>;

/// What reporters are told beside the events.
pub struct Options {
    pub look: Look,
    /// Where the run's record is, as people would type it; `None` if there is no record.
    pub record: Option<String>,
    pub read_source: ReadSource,
}
