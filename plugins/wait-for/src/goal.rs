//! What is waited for. Pure: it touches nothing.

use std::fmt;

use serde::Deserialize;
use sluice_sdk::http::Url;
use sluice_sdk::{Failure, files};

use crate::Inputs;

/// The input `status`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Statuses {
    One(u16),
    Any(Vec<u16>),
}

/// What has to be so.
#[derive(Debug, PartialEq, Eq)]
pub enum Goal {
    /// A server takes connections. An IPv6 address stands without its brackets.
    Tcp { host: String, port: u16 },
    /// A URL answers a GET with one of these statuses; with any from 200 to 399 if there are none.
    Http { url: String, origin: String, statuses: Vec<u16> },
    /// A command for the shell exits with code 0.
    Exec(String),
    /// A file or folder exists, relative to the workspace.
    File(String),
}

impl Goal {
    /// What the inputs ask for. Fails with `invalid-input` unless it is exactly one thing.
    pub fn of(inputs: &Inputs) -> Result<Self, Failure> {
        let Inputs { tcp, http, exec, file, .. } = inputs;
        if inputs.status.is_some() && http.is_none() {
            return Err(Failure::invalid_input("`status` is given without `http`"));
        }
        match (tcp, http, exec, file) {
            (Some(server), None, None, None) => tcp_goal(server),
            (None, Some(url), None, None) => {
                let statuses = match &inputs.status {
                    None => Vec::new(),
                    Some(Statuses::One(status)) => vec![*status],
                    Some(Statuses::Any(statuses)) => statuses.clone(),
                };
                Ok(Self::Http { url: url.clone(), origin: Url::parse(url)?.origin(), statuses })
            }
            (None, None, Some(command), None) => Ok(Self::Exec(command.clone())),
            (None, None, None, Some(path)) => files::relative(path).map(Self::File).map_err(Failure::invalid_input),
            (None, None, None, None) => Err(Failure::invalid_input("nothing to wait for")
                .help("give one of `tcp: HOST:PORT`, `http: URL`, `exec: COMMAND`, `file: PATH`")),
            _ => Err(Failure::invalid_input("`tcp`, `http`, `exec` and `file` exclude each other")
                .help("to wait for several things, use a step for each")),
        }
    }

    /// What would have happened: `localhost:5432 answered`.
    pub fn wish(&self) -> String {
        match self {
            Goal::Tcp { .. } | Goal::Http { .. } => format!("{self} answered"),
            Goal::Exec(_) => format!("{self} succeeded"),
            Goal::File(_) => format!("{self} existed"),
        }
    }
}

fn tcp_goal(server: &str) -> Result<Goal, Failure> {
    let parts = server.trim().rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parts {
        Some((host, port)) if !host.is_empty() && port != 0 => {
            let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
            Ok(Goal::Tcp { host: host.to_owned(), port })
        }
        _ => Err(Failure::invalid_input(format!("`{server}` is no host and port"))
            .help("write it as `localhost:5432` or `[::1]:5432`")),
    }
}

/// The name of a goal. Of a URL it shows no more than the origin: the rest may be secret.
impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Goal::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Goal::Tcp { host, port } => write!(f, "{host}:{port}"),
            Goal::Http { origin, .. } => f.write_str(origin),
            Goal::Exec(command) => {
                let first = command.trim().lines().next().unwrap_or_default();
                let more = first.chars().count() > 60 || command.trim().lines().count() > 1;
                let shown: String = first.chars().take(60).collect();
                write!(f, "`{shown}{}`", if more { "..." } else { "" })
            }
            Goal::File(path) => write!(f, "`{path}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(given: serde_json::Value) -> Inputs {
        let mut all = serde_json::json!({"interval": "200ms", "timeout": "1m"});
        for (name, value) in given.as_object().unwrap() {
            all[name] = value.clone();
        }
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn inputs_become_a_goal() {
        let http = |statuses: &[u16]| Goal::Http {
            url: "http://localhost:8080/health?key=x".into(),
            origin: "http://localhost:8080".into(),
            statuses: statuses.to_vec(),
        };
        let url = "http://localhost:8080/health?key=x";
        for (given, goal, name) in [
            (
                serde_json::json!({"tcp": "localhost:5432"}),
                Goal::Tcp { host: "localhost".into(), port: 5432 },
                "localhost:5432",
            ),
            (serde_json::json!({"tcp": "[::1]:80"}), Goal::Tcp { host: "::1".into(), port: 80 }, "[::1]:80"),
            (serde_json::json!({"http": url}), http(&[]), "http://localhost:8080"),
            (serde_json::json!({"http": url, "status": 204}), http(&[204]), "http://localhost:8080"),
            (serde_json::json!({"http": url, "status": [200, 401]}), http(&[200, 401]), "http://localhost:8080"),
            (serde_json::json!({"exec": "pg_isready"}), Goal::Exec("pg_isready".into()), "`pg_isready`"),
            (serde_json::json!({"exec": "true\ntrue"}), Goal::Exec("true\ntrue".into()), "`true...`"),
            (serde_json::json!({"file": "./run//ready"}), Goal::File("run/ready".into()), "`run/ready`"),
        ] {
            let read = Goal::of(&inputs(given.clone())).unwrap();
            assert_eq!((read.to_string().as_str(), read), (name, goal), "{given}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (given, message) in [
            (serde_json::json!({}), "nothing to wait for"),
            (serde_json::json!({"tcp": "a:1", "file": "b"}), "`tcp`, `http`, `exec` and `file` exclude each other"),
            (serde_json::json!({"tcp": "a:1", "status": 200}), "`status` is given without `http`"),
            (serde_json::json!({"tcp": "localhost"}), "`localhost` is no host and port"),
            (serde_json::json!({"tcp": "localhost:0"}), "`localhost:0` is no host and port"),
            (serde_json::json!({"file": "../x"}), "`../x` leads out of its folder"),
        ] {
            let failure = Goal::of(&inputs(given.clone())).unwrap_err();
            assert_eq!(failure.message(), message, "{given}");
        }
    }
}
