//! What an attempt means: delivered, try again, or give up. Pure: it neither sends nor waits.

use std::time::Duration;

use sluice_sdk::Failure;
use sluice_sdk::http::{Error, Response};

/// What to do after an attempt.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    Delivered,
    Wait { time: Duration, why: String },
    GiveUp(Failure),
}

/// The longest wait between two attempts. Who asks for more gets the failure `transient`, so that the host decides.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Decides after attempt number `attempt`, counted from 1, of at most `attempts`; `webhook` is what texts call it.
pub fn next(result: Result<Response, Error>, attempt: u32, attempts: u32, webhook: &str) -> Next {
    let (why, asked) = match result {
        Ok(response) if response.is_success() => return Next::Delivered,
        Ok(response) if response.status == 429 || response.status >= 500 => {
            (answered(webhook, &response), retry_after(&response))
        }
        Ok(response) => return Next::GiveUp(refused(webhook, &response)),
        Err(Error::TimedOut(message) | Error::Connection(message)) => (message, None),
        Err(error) => return Next::GiveUp(error.into()),
    };
    let time = asked.unwrap_or_else(|| backoff(attempt));
    if attempt < attempts && time <= LONGEST_WAIT {
        return Next::Wait { time, why };
    }
    let message = if attempt == 1 { why } else { format!("{why}, {attempt} times in all") };
    let failure = Failure::transient(message);
    Next::GiveUp(match asked {
        Some(wait) => failure.retry_after(wait),
        None => failure,
    })
}

/// 1 s, 2 s, 4 s and so on, at most 30 s.
fn backoff(attempt: u32) -> Duration {
    Duration::from_secs(1 << attempt.saturating_sub(1).min(5)).min(Duration::from_secs(30))
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3). The other form, a date, is left to the backoff: it depends on
/// two clocks.
fn retry_after(response: &Response) -> Option<Duration> {
    response.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
}

fn answered(webhook: &str, response: &Response) -> String {
    format!("{webhook} answered with status {}", response.status)
}

fn refused(webhook: &str, response: &Response) -> Failure {
    let message = answered(webhook, response);
    if (300..400).contains(&response.status) {
        return Failure::failed(message).help("redirects are not followed; give the address that it leads to as `url`");
    }
    // Slack answers with one word, such as `no_service`. Other answers may repeat the URL, so they are not shown.
    let word = std::str::from_utf8(&response.body).unwrap_or_default().trim();
    let is_word = !word.is_empty() && word.len() <= 40 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    Failure::failed(if is_word { format!("{message}: `{word}`") } else { message })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEBHOOK: &str = "the webhook at https://hooks.example";

    fn answer(status: u16, retry_after: Option<&str>, body: &str) -> Result<Response, Error> {
        let headers = retry_after.map(|value| ("Retry-After".to_owned(), value.to_owned()));
        Ok(Response { status, headers: headers.into_iter().collect(), body: body.as_bytes().to_vec() })
    }

    fn wait(seconds: u64, why: &str) -> Next {
        Next::Wait { time: Duration::from_secs(seconds), why: why.to_owned() }
    }

    #[test]
    fn success_is_delivered_and_a_refusal_is_final() {
        let status = "the webhook at https://hooks.example answered with status";
        let cases = [
            (answer(200, None, "ok"), Next::Delivered),
            (answer(204, None, ""), Next::Delivered),
            (answer(404, None, "no_service"), Next::GiveUp(Failure::failed(format!("{status} 404: `no_service`")))),
            (answer(404, None, "Cannot POST /T0/B0/x"), Next::GiveUp(Failure::failed(format!("{status} 404")))),
            (
                answer(302, None, ""),
                Next::GiveUp(
                    Failure::failed(format!("{status} 302"))
                        .help("redirects are not followed; give the address that it leads to as `url`"),
                ),
            ),
            (Err(Error::Denied("no".to_owned())), Next::GiveUp(Failure::denied("no"))),
            (Err(Error::Untrusted("no".to_owned())), Next::GiveUp(Error::Untrusted("no".to_owned()).into())),
            (Err(Error::Invalid("no".to_owned())), Next::GiveUp(Failure::invalid_input("no"))),
        ];
        for (result, expected) in cases {
            let shown = format!("{result:?}");
            assert_eq!(next(result, 1, 4, WEBHOOK), expected, "{shown}");
        }
    }

    #[test]
    fn a_busy_server_is_tried_again_after_the_time_it_asks_for() {
        let busy = "the webhook at https://hooks.example answered with status 429";
        let down = "the webhook at https://hooks.example answered with status 503";
        let cases = [
            (answer(429, Some("7"), ""), 1, wait(7, busy)),
            (answer(429, Some("60"), ""), 3, wait(60, busy)),
            (answer(429, Some("soon"), ""), 1, wait(1, busy)),
            (answer(503, None, ""), 1, wait(1, down)),
            (answer(503, None, ""), 2, wait(2, down)),
            (answer(503, None, ""), 3, wait(4, down)),
            (Err(Error::TimedOut("late".to_owned())), 1, wait(1, "late")),
            (Err(Error::Connection("away".to_owned())), 2, wait(2, "away")),
        ];
        for (result, attempt, expected) in cases {
            let shown = format!("{result:?}");
            assert_eq!(next(result, attempt, 4, WEBHOOK), expected, "{shown}");
        }
        assert_eq!(backoff(10), Duration::from_secs(30));
    }

    #[test]
    fn patience_ends_with_a_transient_failure() {
        let busy = "the webhook at https://hooks.example answered with status 429";
        let last = Failure::transient(format!("{busy}, 4 times in all"));
        assert_eq!(next(answer(429, None, ""), 4, 4, WEBHOOK), Next::GiveUp(last.clone()));
        let asked = Duration::from_secs(5);
        assert_eq!(next(answer(429, Some("5"), ""), 4, 4, WEBHOOK), Next::GiveUp(last.retry_after(asked)));
        let asked = Duration::from_secs(61);
        let failure = Failure::transient(busy).retry_after(asked);
        assert_eq!(next(answer(429, Some("61"), ""), 1, 4, WEBHOOK), Next::GiveUp(failure), "longer than we wait");
    }
}
