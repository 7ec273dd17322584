//! The table of rules. Formats are as their issuers publish them; where a rule knows more than a prefix and a length,
//! the source stands next to it.

mod ai;
mod chat;
mod cloud;
mod code;
mod generic;
mod infra;
mod keys;
mod monitoring;
mod payment;
mod saas;
mod url;

use crate::rule::Rule;

/// Hexadecimal UUID, as issuers write it.
macro_rules! uuid {
    () => {
        "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    };
}
use uuid;

/// All rules. Where two match in one place, the earlier one counts.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        code::RULES,
        cloud::RULES,
        infra::RULES,
        ai::RULES,
        chat::RULES,
        payment::RULES,
        monitoring::RULES,
        saas::RULES,
        keys::RULES,
        url::RULES,
        generic::RULES,
    ]
    .into_iter()
    .flatten()
}
