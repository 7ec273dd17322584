//! TCP connections of plugins: the standard `wasi:sockets`, with a check of our own before every address and every name.
//!
//! A step may connect to what it was granted and look up the names in its grants. Nothing listens, nothing is sent by
//! UDP, and no other name is looked up, because a name is a message to whoever answers for it.

mod lookup;
mod permit;

pub use lookup::{TcpView, add_to_linker};
pub use permit::Tcp;
