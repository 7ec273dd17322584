//! `requires`: what must be there before anything runs.

use sluice_model::Span;

use crate::version::Requirement;
use crate::workflow::Spanned;

/// Nothing in it is required unless it is named.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Requires {
    pub commands: Vec<Command>,
    pub disk: Option<Spanned<Disk>>,
    pub user: Option<Spanned<User>>,
    /// Any of them will do.
    pub os: Option<Spanned<Vec<String>>>,
    pub sluice: Option<Spanned<Requirement>>,
}

/// A program on the search path.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    pub name: String,
    pub versions: Requirement,
    pub span: Span,
}

/// Free space where the workspace is.
#[derive(Debug, Clone, PartialEq)]
pub struct Disk {
    /// As it was written.
    pub text: String,
    pub bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    NonRoot,
    Root,
}

impl User {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NonRoot => "non-root",
            Self::Root => "root",
        }
    }
}

impl Requires {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What people read, one requirement a line: `git >=2.30`.
    pub fn lines(&self) -> Vec<String> {
        let commands = self.commands.iter().map(|command| format!("{} {}", command.name, command.versions));
        let disk = self.disk.iter().map(|disk| format!("disk {} free", disk.value.text));
        let user = self.user.iter().map(|user| format!("user {}", user.value.as_str()));
        let os = self.os.iter().map(|os| format!("os {}", os.value.join(" or ")));
        let sluice = self.sluice.iter().map(|sluice| format!("sluice {}", sluice.value));
        commands.chain(disk).chain(user).chain(os).chain(sluice).collect()
    }
}
