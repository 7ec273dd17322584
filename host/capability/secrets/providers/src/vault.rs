//! HashiCorp Vault, and OpenBao which speaks the same: `GET /v1/MOUNT/data/NAME` of the key-value store, version 2.

use std::net::IpAddr;

use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use serde_json::Value;
use sluice_capability_http::exchange;
use sluice_model::secret::VaultSecret;

use crate::{Fetched, LONGEST, Machine, Reason, file, quoted};

/// A secret with all its fields and what Vault says about it, in bytes.
const LONGEST_ANSWER: usize = 16 * LONGEST;

pub async fn read(secret: &VaultSecret, machine: &Machine) -> Fetched {
    let address = address(secret, machine)?;
    let token = token(machine).await?;
    let mut request = Request::get(format!("{address}/v1/{}", encoded(&secret.path)))
        .header("x-vault-token", token)
        .header("x-vault-request", "true");
    if let Some(namespace) = secret.namespace.as_deref().or(machine.variable("VAULT_NAMESPACE")) {
        request = request.header("x-vault-namespace", namespace);
    }
    // What is wrong may be the token, so the error says nothing of it.
    let request = request
        .body(Bytes::new())
        .map_err(|_| Reason::new("the token, the namespace or the address has characters that cannot be sent"))?;
    let answer = exchange(request, LONGEST_ANSWER).await.map_err(Reason::new)?;
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    match answer.status() {
        StatusCode::OK => field(&body, secret),
        status => Err(refused(status, &body, secret)),
    }
}

/// The address without a slash at its end. The token belongs to the server that VAULT_ADDR names, so a workflow must not
/// send it elsewhere.
fn address(secret: &VaultSecret, machine: &Machine) -> Result<String, Reason> {
    let trim = |text: &str| text.trim_end_matches('/').to_owned();
    let own = machine.variable("VAULT_ADDR").map(trim);
    let wanted = secret.address.as_deref().map(trim);
    match (own, wanted) {
        (Some(own), Some(wanted)) if own != wanted => Err(Reason::new(format!(
            "the workflow wants `{wanted}`, but VAULT_ADDR, whose token would be sent, is `{own}`"
        ))
        .help("unset VAULT_ADDR if that server should get your token, or take `address` out of the workflow")),
        (Some(own), _) => Ok(own),
        (None, Some(wanted)) if is_private(&wanted) => Ok(wanted),
        (None, Some(wanted)) => Err(Reason::new(format!("your token would go to `{wanted}` in clear text"))
            .help(format!("use `https`, or say yourself that you want that: VAULT_ADDR={wanted}"))),
        (None, None) => Err(Reason::new("no `address` is given and VAULT_ADDR is not set")),
    }
}

/// Whether nobody on the way can read what is sent there.
fn is_private(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    uri.scheme_str() == Some("https") || loopback
}

async fn token(machine: &Machine) -> Fetched {
    if let Some(token) = machine.variable("VAULT_TOKEN") {
        return Ok(token.trim().to_owned());
    }
    let missing = |why: Reason| {
        let reason = Reason::new("VAULT_TOKEN is not set, and `~/.vault-token` cannot be used");
        why.causes.into_iter().fold(reason, Reason::cause).help(why.help.unwrap_or_else(|| "vault login".into()))
    };
    file::read("~/.vault-token", machine).await.map(|token| token.trim().to_owned()).map_err(missing)
}

/// A path whose segments may have any characters (RFC 3986).
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn field(body: &Value, secret: &VaultSecret) -> Fetched {
    let Some(fields) = body.pointer("/data/data").and_then(Value::as_object) else {
        return Err(Reason::new(format!("`{}` is not a secret of a key-value store, version 2", secret.path)));
    };
    match fields.get(&secret.key) {
        Some(Value::String(value)) => Ok(value.clone()),
        Some(_) => Err(Reason::new(format!("the field `{}` is not text", secret.key))),
        None => Err(Reason::new(format!("the secret has no field `{}`", secret.key))),
    }
}

fn refused(status: StatusCode, body: &Value, secret: &VaultSecret) -> Reason {
    let deleted = body.pointer("/data/metadata/deletion_time").and_then(Value::as_str).is_some_and(|at| !at.is_empty());
    let reason = match status {
        StatusCode::NOT_FOUND if deleted => Reason::new(format!("the latest version of `{}` was deleted", secret.path)),
        StatusCode::NOT_FOUND => Reason::new(format!("there is no secret `{}`", secret.path)),
        StatusCode::FORBIDDEN => Reason::new(format!("Vault refused to show `{}` to this token", secret.path)),
        StatusCode::SERVICE_UNAVAILABLE => Reason::new("Vault is sealed or under maintenance"),
        status if status.is_redirection() => Reason::new("Vault answered with a redirect, which is not followed"),
        status => Reason::new(format!("Vault answered with {status}")),
    };
    let errors = body["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
    errors.take(3).fold(reason, |reason, error| reason.cause(quoted(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_where_its_owner_said_and_never_in_clear_text() {
        for (own, wanted, goes) in [
            (None, Some("https://vault.example:8200/"), Some("https://vault.example:8200")),
            (Some("http://vault.svc:8200/"), None, Some("http://vault.svc:8200")),
            (Some("http://vault.svc:8200/"), Some("http://vault.svc:8200"), Some("http://vault.svc:8200")),
            (Some("https://vault.example"), Some("https://elsewhere.example"), None),
            (None, Some("http://vault.example:8200"), None),
            (None, Some("http://127.0.0.1:8200"), Some("http://127.0.0.1:8200")),
            (None, Some("http://[::1]:8200"), Some("http://[::1]:8200")),
            (None, Some("http://localhost.example"), None),
            (None, None, None),
        ] {
            let env = own.map(|own| ("VAULT_ADDR".to_owned(), own.to_owned())).into_iter().collect();
            let machine = Machine { env, workspace: "/".into() };
            let (path, key) = ("secret/data/x".to_owned(), "k".to_owned());
            let secret = VaultSecret { path, key, address: wanted.map(str::to_owned), namespace: None };
            assert_eq!(address(&secret, &machine).ok().as_deref(), goes, "{own:?} {wanted:?}");
        }
    }
}
