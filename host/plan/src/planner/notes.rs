//! What people should know of a step that runs programs, before it runs.

use sluice_model::grant::{Host, PathAccess};

use super::Facts;
use crate::plan::Step;

/// Where the system does less than the grants say.
pub(super) fn notes(step: &Step, facts: &Facts) -> Vec<String> {
    let grants = &step.at_most;
    if grants.exec.is_empty() {
        return Vec::new();
    }
    if let Some(why) = &facts.unconfined {
        let programs = grants.exec.iter().map(|grant| {
            let what = if grant.is_shell() { ", and any other program," } else { "" };
            format!("runs `{grant}`{what} unconfined: it can do all that your account can ({why})")
        });
        return programs.collect();
    }
    let mut notes = Vec::new();
    let at_services = step.at_services.iter().any(|grant| grant.starts_with("tcp:") || grant.starts_with("http:"));
    if !grants.tcp.is_empty() || !grants.http.is_empty() || at_services {
        notes.push(match &facts.all_ports {
            None => "the system holds its programs to these ports, not to these hosts".to_owned(),
            Some(why) => format!("its programs can use every TCP port of every host ({why})"),
        });
    }
    let is_name = |host: &Host| matches!(host, Host::Name(name) if name != "localhost");
    if grants.tcp.iter().any(|grant| is_name(&grant.host)) || grants.http.iter().any(|grant| !grant.names_an_address())
    {
        notes.push("its programs can send UDP to every host, since names are looked up so".to_owned());
    }
    if grants.paths.iter().any(|grant| grant.access == PathAccess::Connect) {
        notes.push("its programs can talk to every local socket: the system cannot tell them apart".to_owned());
    }
    notes
}
