//! The rules against samples that are made up while the test runs: this repository is scanned by this plugin, so that no
//! file of it may hold a token.

mod allowing;
mod placing;
mod quiet;
mod readme;
mod robust;
mod rules;
mod samples;
mod sketch;
