//! What the step asks for, and the call that it comes to.

use std::collections::BTreeMap;

use serde::Deserialize;
use sluice_sdk::Failure;

/// The inputs as `plugin.yaml` describes them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Inputs {
    pub run: Option<String>,
    pub shell: String,
    pub program: Option<String>,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub secret_env: BTreeMap<String, String>,
    pub directory: String,
    pub stdin: Option<String>,
    pub allow_exit_codes: Vec<i32>,
}

/// A program and its arguments.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    pub program: String,
    pub args: Vec<String>,
    /// How a message names it.
    pub title: String,
}

impl Inputs {
    /// The program to call. Fails when it is told both or neither of `run` and `program`, or a variable twice.
    pub fn call(&self) -> Result<Call, Failure> {
        if let Some(name) = self.env.keys().find(|name| self.secret_env.contains_key(*name)) {
            return Err(Failure::invalid_input(format!("variable `{name}` is in `env` and in `secret-env`")));
        }
        match (&self.run, &self.program) {
            (Some(script), None) => Ok(self.script(script)),
            (None, Some(program)) => {
                Ok(Call { program: program.clone(), args: self.args.clone(), title: format!("`{program}`") })
            }
            (Some(_), Some(_)) => Err(Failure::invalid_input("`run` and `program` exclude each other")),
            (None, None) => Err(Failure::invalid_input("nothing to run")
                .help("give a script as `run`, or a program as `program` and `args`")),
        }
    }

    fn script(&self, script: &str) -> Call {
        // `sh` is left out: POSIX has `pipefail` only since 2024, and a shell without it refuses to start.
        let options = match self.shell.as_str() {
            "bash" | "zsh" | "ksh" => ["-euo", "pipefail", "-c"].as_slice(),
            _ => ["-eu", "-c"].as_slice(),
        };
        let mut args: Vec<String> = options.iter().map(ToString::to_string).collect();
        args.push(script.to_owned());
        if !self.args.is_empty() {
            // The first argument after the script is `$0`, the name of the script.
            args.push(self.shell.clone());
            args.extend(self.args.iter().cloned());
        }
        Call { program: self.shell.clone(), args, title: format!("the `{}` script", self.shell) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs as the host hands them over: with the defaults of the manifest.
    fn inputs(given: serde_json::Value) -> Inputs {
        let mut all = serde_json::json!({
            "shell": "sh", "args": [], "env": {}, "secret-env": {}, "directory": ".", "allow-exit-codes": [0],
        });
        for (name, value) in given.as_object().unwrap() {
            all[name] = value.clone();
        }
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn inputs_become_a_call() {
        let cases = [
            (r#"{"run": "echo hi"}"#, "sh", vec!["-eu", "-c", "echo hi"], "the `sh` script"),
            (
                r#"{"run": "a | b", "shell": "bash"}"#,
                "bash",
                vec!["-euo", "pipefail", "-c", "a | b"],
                "the `bash` script",
            ),
            (
                r#"{"run": "echo $1", "args": ["x y"]}"#,
                "sh",
                vec!["-eu", "-c", "echo $1", "sh", "x y"],
                "the `sh` script",
            ),
            (r#"{"program": "git", "args": ["log", "-1"]}"#, "git", vec!["log", "-1"], "`git`"),
            (r#"{"program": "make"}"#, "make", vec![], "`make`"),
        ];
        for (given, program, args, title) in cases {
            let call = inputs(serde_json::from_str(given).unwrap()).call().unwrap();
            let args = args.into_iter().map(str::to_owned).collect();
            assert_eq!(call, Call { program: program.to_owned(), args, title: title.to_owned() }, "{given}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let cases = [
            (r#"{}"#, "nothing to run"),
            (r#"{"run": "a", "program": "b"}"#, "`run` and `program` exclude each other"),
            (
                r#"{"run": "a", "env": {"X": "1"}, "secret-env": {"X": "S"}}"#,
                "variable `X` is in `env` and in `secret-env`",
            ),
        ];
        for (given, message) in cases {
            let failure = inputs(serde_json::from_str(given).unwrap()).call().unwrap_err();
            assert_eq!(failure.message(), message, "{given}");
        }
    }
}
