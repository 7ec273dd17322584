//! The engine against real components: guests that behave, and guests that do not.

mod by_hand;
mod capability;
mod files;
mod guests;
mod harness;
mod hostile;
mod inspect;
mod secret;
mod server;
mod step;
