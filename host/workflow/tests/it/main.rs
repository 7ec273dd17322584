//! What the language takes and what it says about everything else.

mod bad;
mod calls;
mod evaluation;
mod functions;
mod good;
mod inputs;
mod random;
mod render;
mod schema;
