//! Who we are to a registry: what `docker login` wrote.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// For one registry, and no other.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    Password {
        user: String,
        password: String,
    },
    /// Exchanged for a token of the registry.
    IdentityToken(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

impl Credentials {
    /// The value of `Authorization`; none for a token that has to be exchanged.
    pub(crate) fn basic(&self) -> Option<String> {
        match self {
            Credentials::Password { user, password } => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            Credentials::IdentityToken(_) => None,
        }
    }

    /// What a credential helper answers in JSON.
    pub(crate) fn from_helper(answer: &[u8]) -> Option<Self> {
        let answer: Value = serde_json::from_slice(answer).ok()?;
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        let (user, secret) = (text("Username")?, text("Secret")?);
        Some(match user.as_str() {
            "<token>" => Self::IdentityToken(secret),
            _ => Self::Password { user, password: secret },
        })
    }
}

/// What somebody who is asked for credentials answers: nothing, if they have none. An error holds nothing of them.
pub type Answer = Result<Option<Credentials>, String>;

/// `config.json` of Docker.
#[derive(Default)]
pub struct DockerConfig(Value);

/// Under this key Docker keeps what is for its own registry.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

impl DockerConfig {
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let value: Value = serde_json::from_slice(bytes).map_err(|_| "it is no JSON")?;
        if value.is_object() { Ok(Self(value)) } else { Err("it is no object in JSON") }
    }

    /// What it has for a registry (`registry.example.org:5000`). `ask` runs the credential helper of this name, and asks it
    /// for this server.
    ///
    /// # Errors
    /// What went wrong, without anything of the credentials.
    pub fn credentials(&self, registry: &str, ask: &dyn Fn(&str, &str) -> Answer) -> Answer {
        let keys = keys(registry);
        let of = |section: &str| keys.iter().find_map(|key| self.0[section].get(key).map(|value| (key, value)));
        if let Some((key, helper)) = of("credHelpers") {
            let helper = helper.as_str().ok_or("a credential helper of the docker configuration has no name")?;
            return ask(helper, key);
        }
        let entry = of("auths");
        if let Some(found) = entry.and_then(|(_, entry)| stored(entry).transpose()) {
            return found.map(Some);
        }
        match self.0["credsStore"].as_str().filter(|name| !name.is_empty()) {
            Some(store) => ask(store, entry.map_or(keys.first().map_or(registry, String::as_str), |(key, _)| key)),
            None => Ok(None),
        }
    }
}

/// The keys under which a registry may stand, the usual one first.
fn keys(registry: &str) -> Vec<String> {
    if matches!(registry, "docker.io" | "registry-1.docker.io" | "index.docker.io") {
        return vec![DOCKER_HUB.to_owned()];
    }
    let mut keys = vec![registry.to_owned()];
    keys.extend(["https://", "http://"].map(|scheme| format!("{scheme}{registry}")));
    keys
}

/// What stands in an entry of `auths` itself; nothing if it only says that a helper has it.
fn stored(entry: &Value) -> Result<Option<Credentials>, String> {
    let text = |name: &str| entry[name].as_str().filter(|text| !text.is_empty());
    if let Some(token) = text("identitytoken") {
        return Ok(Some(Credentials::IdentityToken(token.to_owned())));
    }
    if let (Some(user), Some(password)) = (text("username"), text("password")) {
        return Ok(Some(Credentials::Password { user: user.to_owned(), password: password.to_owned() }));
    }
    let Some(auth) = text("auth") else { return Ok(None) };
    let decoded = STANDARD.decode(auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.as_deref().and_then(|text| text.trim_end_matches('\0').split_once(':'));
    let (user, password) = pair.ok_or("an `auth` of the docker configuration is not `user:password` in base64")?;
    Ok(Some(Credentials::Password { user: user.to_owned(), password: password.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_registry_has_its_own() {
        let config = json!({
            "auths": {
                "ghcr.io": {"auth": "bWU6cHc6eA=="},
                "https://old.example.org": {"username": "u", "password": "p"},
                "token.example.org": {"auth": "", "identitytoken": "t"},
                "stored.example.org": {},
                "broken.example.org": {"auth": "?"},
                "https://index.docker.io/v1/": {"auth": "aHViOng="},
            },
            "credHelpers": {"helped.example.org": "one", "bad.example.org": 5},
            "credsStore": "store",
        });
        let config = DockerConfig::parse(config.to_string().as_bytes()).unwrap();
        let ask = |helper: &str, server: &str| Ok(Some(Credentials::IdentityToken(format!("{helper} {server}"))));
        let of = |registry: &str| config.credentials(registry, &ask);
        let password = |user: &str, password: &str| {
            Ok(Some(Credentials::Password { user: user.into(), password: password.into() }))
        };
        let token = |text: &str| Ok(Some(Credentials::IdentityToken(text.into())));
        assert_eq!(of("ghcr.io"), password("me", "pw:x"));
        assert_eq!(of("old.example.org"), password("u", "p"));
        assert_eq!(of("docker.io"), password("hub", "x"));
        assert_eq!(of("token.example.org"), token("t"));
        assert_eq!(of("helped.example.org"), token("one helped.example.org"));
        assert_eq!(of("stored.example.org"), token("store stored.example.org"));
        assert_eq!(of("other.example.org"), token("store other.example.org"));
        assert!(of("broken.example.org").is_err() && of("bad.example.org").is_err());
        let none = DockerConfig::default();
        assert_eq!(none.credentials("ghcr.io", &ask), Ok(None));
        assert_eq!(none.credentials("evil.ghcr.io", &ask), Ok(None));
        assert!(!format!("{:?}", of("ghcr.io")).contains("pw"));
    }
}
