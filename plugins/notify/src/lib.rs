//! Sends a message about the run to a webhook, and keeps at it for a while when the server is busy.
//!
//! The URL of a webhook is often a secret: no text of this plugin shows more of it than scheme and host, and one that is
//! given as `url-secret` never comes in here at all.

mod delivery;
mod message;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;
use sluice_sdk::http::{Request, Url};
use sluice_sdk::{Failure, Level, Notify, Sink, Step};

use delivery::{Next, next};
use message::Format;

/// The inputs as `plugin.yaml` describes them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Inputs {
    url: Option<String>,
    url_secret: Option<String>,
    format: Format,
    message: String,
    title: Option<String>,
    headers: BTreeMap<String, String>,
    token_secret: Option<String>,
    user: Option<String>,
    password_secret: Option<String>,
    attempts: u32,
    timeout: u64,
}

/// Far below any answer that tells something, far above what a webhook answers.
const MAX_ANSWER: usize = 1 << 20;
/// How often a wait looks whether the run is being cancelled.
const GLANCE: Duration = Duration::from_millis(100);

struct Plugin;

impl Notify for Plugin {
    fn notify(step: &Step, sink: &Sink) -> Result<(), Failure> {
        let inputs: Inputs = step.inputs()?;
        let webhook = Webhook::of(&inputs)?;
        let body = message::body(inputs.format, inputs.title.as_deref(), &inputs.message, &step.run_summary())?;
        let request = request(&inputs, &webhook, body, &step.idempotency_key())?;

        let mut attempt = 1;
        loop {
            let result = request.clone().send();
            if let Ok(response) = &result {
                sink.output("status", response.status)?;
            }
            sink.output("attempts", attempt)?;
            match next(result, attempt, inputs.attempts, &webhook.place()) {
                Next::Delivered => {
                    let place = webhook.place();
                    sink.log(Level::Info, format!("delivered to {place}, attempt {attempt} of {}", inputs.attempts));
                    return Ok(());
                }
                Next::GiveUp(failure) => return Err(failure),
                Next::Wait { time, why } => {
                    sink.log(Level::Warn, format!("{why}; the next attempt is in {time:?}"));
                    wait(step, time)?;
                    attempt += 1;
                }
            }
        }
    }
}

/// Where the message goes.
enum Webhook<'i> {
    Url {
        url: &'i str,
        origin: String,
    },
    /// The name of the secret that holds the URL, which only the host knows.
    InSecret(&'i str),
}

impl<'i> Webhook<'i> {
    fn of(inputs: &'i Inputs) -> Result<Self, Failure> {
        match (&inputs.url, &inputs.url_secret) {
            (Some(url), None) => Ok(Self::Url { url, origin: Url::parse(url)?.origin() }),
            (None, Some(name)) => Ok(Self::InSecret(name)),
            _ => Err(Failure::invalid_input("one of `url` and `url-secret` says where the message goes")),
        }
    }

    /// For texts.
    fn place(&self) -> String {
        match self {
            Self::Url { origin, .. } => format!("the webhook at {origin}"),
            Self::InSecret(name) => format!("the webhook in the secret `{name}`"),
        }
    }

    fn post(&self) -> Result<Request, Failure> {
        match self {
            Self::Url { url, .. } => Ok(Request::post(*url)),
            Self::InSecret(name) => Request::post("").url_secret(name),
        }
    }
}

fn request(inputs: &Inputs, webhook: &Webhook, body: Vec<u8>, idempotency_key: &str) -> Result<Request, Failure> {
    let mut request = webhook
        .post()?
        .body(body)
        .timeout(Duration::from_secs(inputs.timeout))
        .max_body(MAX_ANSWER)
        .header("idempotency-key", idempotency_key);
    if !inputs.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in &inputs.headers {
        request = request.header(name, value.as_str());
    }
    if let Some(secret) = &inputs.token_secret {
        request = request.bearer_secret(secret)?;
    }
    if let (Some(user), Some(secret)) = (&inputs.user, &inputs.password_secret) {
        request = request.basic_secret(user, secret)?;
    }
    Ok(request)
}

fn wait(step: &Step, time: Duration) -> Result<(), Failure> {
    let until = Instant::now() + time;
    loop {
        if step.cancelled() {
            return Err(Failure::failed("the run was cancelled before the message was delivered"));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(GLANCE));
    }
}

sluice_sdk::plugin!(Plugin: Notify, "plugin.yaml");
