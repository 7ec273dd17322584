//! Records on a real disk.

mod broken;
mod run;
mod write;
