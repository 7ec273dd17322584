//! Where the value of a secret comes from. Never the value itself.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The one place that has the value of a secret. As JSON it is spelled as in a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    /// A variable of the runner's environment.
    Env(String),
    /// A file: absolute, below the home folder (`~/x`), or relative to the workspace.
    File(String),
    /// Somebody at a terminal; the text says what is asked for.
    Prompt(String),
    /// Standard output of a program: its name and its arguments, at least the name.
    Command(Vec<String>),
    Vault(VaultSecret),
    Aws(AwsSecret),
}

/// A field of a secret in the key-value store, version 2, of HashiCorp Vault or OpenBao.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultSecret {
    /// As the HTTP API has it, with `data` after the mount: `secret/data/app`.
    pub path: String,
    /// The field of the secret.
    pub key: String,
    /// URL of the server; `None` is that of the runner's environment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// `None` is that of the runner's environment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
}

/// A secret of AWS Secrets Manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsSecret {
    /// Name or ARN.
    pub id: String,
    /// The field, if the secret is a JSON object; `None` is the whole text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
    /// `None` is that of the runner's environment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub region: Option<String>,
}

impl SecretSource {
    /// The field of a workflow that names this kind of source.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Env(_) => "env",
            Self::File(_) => "file",
            Self::Prompt(_) => "prompt",
            Self::Command(_) => "command",
            Self::Vault(_) => "vault",
            Self::Aws(_) => "aws",
        }
    }
}

impl fmt::Display for SecretSource {
    /// For people: `env API_TOKEN`, `vault secret/data/app, key token`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind())?;
        match self {
            Self::Env(text) | Self::File(text) => f.write_str(text),
            Self::Prompt(text) => write!(f, "\"{text}\""),
            Self::Command(words) => {
                for (number, word) in words.iter().enumerate() {
                    let space = if number == 0 { "" } else { " " };
                    let plain = !word.is_empty()
                        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./=:@%+,".contains(&b));
                    match plain {
                        true => write!(f, "{space}{word}")?,
                        false => write!(f, "{space}{word:?}")?,
                    }
                }
                Ok(())
            }
            Self::Vault(vault) => {
                write!(f, "{}, key {}", vault.path, vault.key)?;
                vault.address.iter().try_for_each(|address| write!(f, ", at {address}"))?;
                vault.namespace.iter().try_for_each(|namespace| write!(f, ", namespace {namespace}"))
            }
            Self::Aws(aws) => {
                f.write_str(&aws.id)?;
                aws.key.iter().try_for_each(|key| write!(f, ", key {key}"))?;
                aws.region.iter().try_for_each(|region| write!(f, ", in {region}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_reads_the_same_in_json_as_in_a_workflow() {
        for (json, shown) in [
            (r#"{"env":"TOKEN_PROD"}"#, "env TOKEN_PROD"),
            (r#"{"file":"~/.config/x/password"}"#, "file ~/.config/x/password"),
            (r#"{"prompt":"Deploy key"}"#, r#"prompt "Deploy key""#),
            (r#"{"command":["pass","show","my key",""]}"#, r#"command pass show "my key" """#),
            (r#"{"vault":{"path":"secret/data/app","key":"token"}}"#, "vault secret/data/app, key token"),
            (
                r#"{"vault":{"path":"kv/data/a","key":"k","address":"https://vault.example","namespace":"team"}}"#,
                "vault kv/data/a, key k, at https://vault.example, namespace team",
            ),
            (r#"{"aws":{"id":"prod/app"}}"#, "aws prod/app"),
            (r#"{"aws":{"id":"prod/app","key":"p","region":"eu-west-1"}}"#, "aws prod/app, key p, in eu-west-1"),
        ] {
            let source: SecretSource = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&source).unwrap(), json);
            assert_eq!(source.to_string(), shown);
        }
    }
}
