//! HTTP requests of plugins: `wasi:http` with a sender of our own.
//!
//! Each request is checked against the step's grants, its host is resolved once, the addresses are checked, and the
//! connection goes to exactly an address that was checked. No redirect is followed: a plugin that follows one sends a
//! new request, which is checked like any other.
//!
//! Secrets take the place of their stand-ins on the way out, after the addresses that they make up were checked; an
//! answer that repeats one comes in without it.

mod basic;
mod body;
mod client;
mod hooks;
mod inject;
mod masked;
mod send;
mod tls;

pub use client::{exchange, exchange_within};
pub use hooks::{Http, add_to_linker};
pub use inject::{Injection, port_in};
