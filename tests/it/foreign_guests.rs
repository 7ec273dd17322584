//! The contract is not shaped by Rust: lint plugins in Python and C, built from the same `wit/`, run like any other.
