//! Who asks, and where: from the environment, then from the files below `~/.aws`.

use std::path::PathBuf;

use sluice_model::secret::AwsSecret;

use super::profile;
use crate::{Machine, Reason};

pub struct Credentials {
    pub id: String,
    pub secret: String,
    /// Only temporary credentials have one.
    pub session: Option<String>,
}

const HELP: &str = "for SSO, roles and the like: eval \"$(aws configure export-credentials --format env)\"";

pub async fn find(machine: &Machine) -> Result<Credentials, Reason> {
    let variable = |name: &str| machine.variable(name).map(str::to_owned);
    if let (Some(id), Some(secret)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        return Ok(Credentials { id, secret, session: variable("AWS_SESSION_TOKEN") });
    }
    let path = file(machine, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")?;
    let profile = profile_name(machine);
    let reason = || Reason::new("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set").help(HELP);
    let text = tokio::fs::read_to_string(&path)
        .await
        .map_err(|error| reason().cause(format!("cannot read `{}`: {error}", path.display())))?;
    let Some(settings) = profile::section(&text, profile) else {
        return Err(reason().cause(format!("`{}` has no profile `{profile}`", path.display())));
    };
    let setting = |wanted: &str| settings.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    match (setting("aws_access_key_id"), setting("aws_secret_access_key")) {
        (Some(id), Some(secret)) => Ok(Credentials { id, secret, session: setting("aws_session_token") }),
        _ => Err(reason().cause(format!("the profile `{profile}` in `{}` has no access key", path.display()))),
    }
}

pub async fn region(secret: &AwsSecret, machine: &Machine) -> Result<String, Reason> {
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| machine.variable(name));
    let region = match secret.region.as_deref().or(named) {
        Some(region) => region.to_owned(),
        None => {
            let path = file(machine, "AWS_CONFIG_FILE", "~/.aws/config")?;
            let text = tokio::fs::read_to_string(path).await.unwrap_or_default();
            let profile = profile_name(machine);
            let section = if profile == "default" { profile.to_owned() } else { format!("profile {profile}") };
            let settings = profile::section(&text, &section).unwrap_or_default();
            let region = settings.into_iter().find(|(name, _)| name == "region").map(|(_, value)| value);
            region.ok_or_else(|| Reason::new("no region is known").help("set AWS_REGION, or `region` of the secret"))?
        }
    };
    // It becomes a part of the name of the server.
    if region.is_empty() || !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Err(Reason::new(format!("`{}` is no region", crate::quoted(&region))));
    }
    Ok(region)
}

fn profile_name(machine: &Machine) -> &str {
    machine.variable("AWS_PROFILE").unwrap_or("default")
}

fn file(machine: &Machine, variable: &str, default: &str) -> Result<PathBuf, Reason> {
    machine.path(machine.variable(variable).unwrap_or(default))
}
