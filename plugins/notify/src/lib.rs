//! Sends a message about the run to a webhook, and keeps at it for a while when the server is busy.
//!
//! The URL of a webhook is often a secret: no text of this plugin shows more of it than scheme and host.

mod delivery;
mod message;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;
use sluice_sdk::http::{Request, Url};
use sluice_sdk::{Failure, Level, Notify, Sink, Step, secrets};

use delivery::{Next, next};
use message::Format;

/// The inputs as `plugin.yaml` describes them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Inputs {
    url: String,
    format: Format,
    message: String,
    title: Option<String>,
    headers: BTreeMap<String, String>,
    token_secret: Option<String>,
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
        let origin = Url::parse(&inputs.url)?.origin();
        let body = message::body(inputs.format, inputs.title.as_deref(), &inputs.message, &step.run_summary())?;
        let request = request(&inputs, body, &step.idempotency_key())?;

        let mut attempt = 1;
        loop {
            let result = request.clone().send();
            if let Ok(response) = &result {
                sink.output("status", response.status)?;
            }
            sink.output("attempts", attempt)?;
            match next(result, attempt, inputs.attempts, &origin) {
                Next::Delivered => {
                    sink.log(Level::Info, format!("delivered to {origin}, attempt {attempt} of {}", inputs.attempts));
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

fn request(inputs: &Inputs, body: Vec<u8>, idempotency_key: &str) -> Result<Request, Failure> {
    let mut request = Request::post(&inputs.url)
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
        request = request.header("authorization", format!("Bearer {}", secrets::placeholder(secret)?));
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
