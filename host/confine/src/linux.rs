pub mod calls;
mod filter;
pub mod launch;
mod left;
pub mod rules;
