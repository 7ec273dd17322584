pub mod calls;
mod filter;
pub mod launch;
mod left;
pub mod privileges;
pub mod protect;
pub mod rules;
