//! AWS Secrets Manager: one call of `GetSecretValue`.

mod credentials;
mod profile;
mod sign;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use sluice_capability_http::exchange;
use sluice_model::secret::AwsSecret;

use crate::{Fetched, LONGEST, Machine, Reason, quoted};
use credentials::Credentials;

const SERVICE: &str = "secretsmanager";
const TARGET: &str = "secretsmanager.GetSecretValue";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

pub async fn read(secret: &AwsSecret, machine: &Machine) -> Fetched {
    let region = credentials::region(secret, machine).await?;
    let credentials = credentials::find(machine).await?;
    let request = request(&secret.id, &endpoint(&region, machine), &region, &credentials)?;
    let answer = exchange(request, 8 * LONGEST).await.map_err(Reason::new)?;
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if !answer.status().is_success() {
        return Err(refused(answer.status(), &body));
    }
    let Some(text) = body["SecretString"].as_str() else {
        return Err(Reason::new(format!("the secret `{}` is binary, not text", secret.id)));
    };
    match &secret.key {
        None => Ok(text.to_owned()),
        Some(key) => field(text, key),
    }
}

/// The URL of the service, without a slash at its end.
fn endpoint(region: &str, machine: &Machine) -> String {
    let own =
        ["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"].into_iter().find_map(|name| machine.variable(name));
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    own.map_or_else(|| format!("https://{SERVICE}.{region}.{domain}"), |own| own.trim_end_matches('/').to_owned())
}

fn request(id: &str, endpoint: &str, region: &str, credentials: &Credentials) -> Result<Request<Bytes>, Reason> {
    let unusable =
        |_| Reason::new(format!("`{endpoint}` is no address of a service, or the credentials cannot be sent"));
    let url: http::Uri = format!("{endpoint}/").parse().map_err(|_| Reason::new(format!("`{endpoint}` is no URL")))?;
    let body = json!({ "SecretId": id }).to_string();
    let at = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let host = url.authority().map_or("", |authority| authority.as_str());
    let mut headers = vec![("content-type", CONTENT_TYPE), ("host", host), ("x-amz-date", at.as_str())];
    headers.extend(credentials.session.as_deref().map(|session| ("x-amz-security-token", session)));
    headers.push(("x-amz-target", TARGET));
    let authorization =
        sign::Signing { credentials, region, service: SERVICE, at: &at }.post(url.path(), &headers, &body);
    let request = headers.iter().fold(Request::post(&url), |request, (name, value)| request.header(*name, *value));
    request.header("authorization", authorization).body(Bytes::from(body)).map_err(unusable)
}

fn field(text: &str, key: &str) -> Fetched {
    // The error of the parser would show a part of the value.
    let Ok(Value::Object(fields)) = serde_json::from_str(text) else {
        return Err(
            Reason::new("the secret is no JSON object, so it has no fields").help("leave `key` out for its text")
        );
    };
    match fields.get(key) {
        Some(Value::String(value)) => Ok(value.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        Some(_) => Err(Reason::new(format!("the field `{key}` is not text"))),
        None => Err(Reason::new(format!("the secret has no field `{key}`"))),
    }
}

fn refused(status: http::StatusCode, body: &Value) -> Reason {
    let text = |names: [&str; 2]| names.into_iter().find_map(|name| body[name].as_str());
    let kind = text(["__type", "code"]).map(|kind| kind.rsplit('#').next().unwrap_or(kind));
    let reason = Reason::new(match kind {
        Some(kind) => format!("Secrets Manager answered with {}: {}", status.as_u16(), quoted(kind)),
        None => format!("Secrets Manager answered with {status}"),
    });
    text(["message", "Message"]).into_iter().fold(reason, |reason, message| reason.cause(quoted(message)))
}
