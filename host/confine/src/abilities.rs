//! What this machine can do to confine a program, found out by doing it.

use serde::Serialize;

#[cfg(target_os = "linux")]
use crate::{Confinement, linux};

/// One thing that confining takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ability {
    /// Hold programs to files: Landlock.
    Files,
    /// Refuse calls to the kernel: seccomp, and with it the network as a whole.
    Calls,
    /// Hold programs to TCP ports: Landlock 4.
    Ports,
    /// Keep programs from controlling devices: Landlock 5.
    Devices,
    /// Keep programs from sending signals to others: Landlock 6.
    Signals,
    /// End everything that a program leaves behind.
    Descendants,
}

/// Whether this machine can do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    pub ability: Ability,
    pub able: bool,
    /// How, or why not.
    pub how: String,
    /// What follows for those who run workflows.
    pub then: &'static str,
}

/// What this machine can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Abilities {
    pub findings: Vec<Finding>,
}

impl Ability {
    /// In words, as in `can it ...?`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Files => "hold programs to the files that they were granted",
            Self::Calls => "refuse programs the network, and calls that reach other processes or the kernel",
            Self::Ports => "hold programs to the TCP ports that they were granted",
            Self::Devices => "keep programs from controlling devices",
            Self::Signals => "keep programs from sending signals to others",
            Self::Descendants => "end everything that a program leaves behind",
        }
    }
}

impl Abilities {
    /// Why programs cannot be confined here, if they cannot: without these two, nothing is.
    pub fn why_not(&self) -> Option<&str> {
        let needed = [Ability::Files, Ability::Calls];
        let mut missing = self.findings.iter().filter(|finding| needed.contains(&finding.ability) && !finding.able);
        missing.next().map(|finding| finding.how.as_str())
    }

    pub fn can(&self, ability: Ability) -> bool {
        self.findings.iter().any(|finding| finding.ability == ability && finding.able)
    }

    /// Tries it out, on a thread that ends with the trial.
    #[cfg(target_os = "linux")]
    pub fn probe() -> Self {
        use linux::rules;

        let version = rules::version();
        let trial = std::thread::spawn(move || {
            let nothing = Confinement { files: Vec::new(), ..Confinement::default() };
            let files = linux::privileges::restrict().and_then(|()| rules::restrict(&nothing, version));
            (files, linux::calls::restrict(&nothing))
        });
        let (files, calls) = trial.join().unwrap_or_else(|_| {
            let failed = || Err("the trial failed".to_owned());
            (failed(), failed())
        });
        let kernel =
            nix::sys::utsname::uname().map(|name| name.release().to_string_lossy().into_owned()).unwrap_or_default();
        let landlock = |needed: u32, linux: &str| match version {
            version if version >= needed => Ok(format!("Landlock {version}")),
            0 => Err(format!(
                "the kernel ({kernel}) has no Landlock, it is not among the modules of its `lsm=` parameter, or a \
                 container does not let it through"
            )),
            version => {
                Err(format!("Landlock {needed} is needed (Linux {linux}), and the kernel ({kernel}) has {version}"))
            }
        };
        let finding = |ability, result: Result<String, String>, then| {
            let able = result.is_ok();
            Finding { ability, able, how: result.unwrap_or_else(|why| why), then }
        };
        let unconfined = "without it, steps that run programs are refused unless `--allow-unconfined` is given";
        let findings = vec![
            finding(Ability::Files, landlock(rules::OLDEST, "6.2").and_then(|how| files.map(|()| how)), unconfined),
            finding(Ability::Calls, calls.map(|()| "seccomp".to_owned()), unconfined),
            finding(
                Ability::Ports,
                landlock(rules::PORTS, "6.7"),
                "without it, a program with any network has all TCP ports; the plan says so",
            ),
            finding(
                Ability::Devices,
                landlock(rules::DEVICES, "6.10"),
                "without it, a program may control devices that it was granted with `paths`",
            ),
            finding(
                Ability::Signals,
                landlock(rules::SIGNALS, "6.12"),
                "without it, a program may end other programs of the same account, sluice among them",
            ),
            finding(
                Ability::Descendants,
                nix::sys::prctl::get_child_subreaper()
                    .map(|_| "subreaper".to_owned())
                    .map_err(|error| error.to_string()),
                "without it, what leaves its program behind is found by a mark in its environment only",
            ),
        ];
        Self { findings }
    }

    /// Elsewhere there is nothing of it.
    #[cfg(not(target_os = "linux"))]
    pub fn probe() -> Self {
        let why = format!("programs are confined on Linux only, and this is {}", std::env::consts::OS);
        let unconfined = "steps that run programs are refused unless `--allow-unconfined` is given";
        let findings = [Ability::Files, Ability::Calls].map(|ability| Finding {
            ability,
            able: false,
            how: why.clone(),
            then: unconfined,
        });
        Self { findings: findings.to_vec() }
    }
}
