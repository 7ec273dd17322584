//! Records on a real disk.

mod broken;
mod prune;
mod run;
mod verify;
mod waiting;
mod write;
