//! From templates and the summary of the run to the body of the request.

use minijinja::{Environment, UndefinedBehavior};
use serde::Deserialize;
use serde_json::{Value, json};
use sluice_sdk::Failure;

/// What the webhook takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `{"text": …}`, as Slack's incoming webhooks take it.
    Slack,
    /// `{"title": …, "message": …, "run": …}`
    Json,
}

/// Slack cuts a text of more than 40,000 characters and advises to stay below 4,000.
const SLACK_TEXT: usize = 4_000;

/// Renders both templates and makes the body. Fails with `invalid-input` when a template is malformed or names
/// something that the run does not have.
pub fn body(format: Format, title: Option<&str>, message: &str, run: &Value) -> Result<Vec<u8>, Failure> {
    let context = context(run);
    let title = title.map(|template| render("title", template, &context)).transpose()?;
    let message = render("message", message, &context)?;
    let body = match format {
        Format::Slack => {
            let heading = title.map(|title| format!("*{title}*\n")).unwrap_or_default();
            json!({ "text": slack(&format!("{heading}{message}")) })
        }
        Format::Json => json!({ "title": title, "message": message, "run": run }),
    };
    Ok(body.to_string().into_bytes())
}

/// What templates see: the summary as `run`, and what is tedious to say in a template.
fn context(run: &Value) -> Value {
    let mut failed = Vec::new();
    for (job, facts) in run["jobs"].as_object().into_iter().flatten() {
        for (id, step) in facts["steps"].as_object().into_iter().flatten() {
            if step["outcome"] == "failed" {
                failed.push(json!({ "job": job, "id": id, "name": step["name"], "failure": failure(step) }));
            }
        }
    }
    json!({ "run": run, "duration": duration(run["duration-ms"].as_u64().unwrap_or(0)), "failed": failed })
}

fn failure(step: &Value) -> &str {
    step["failure"]["message"].as_str().or(step["failure"].as_str()).unwrap_or("failed")
}

/// `0.8 s`, `12 s`, `3 min 20 s`, `2 h 5 min`
fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..10 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

fn render(input: &str, template: &str, context: &Value) -> Result<String, Failure> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.render_named_str(input, template, minijinja::value::Serde(context)).map_err(|error| {
        let line = error.line().map(|line| format!(", line {line}")).unwrap_or_default();
        let what =
            error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
        Failure::invalid_input(format!("the template `{input}` cannot be rendered{line}: {what}"))
            .help("a template knows `run` (`id`, `workflow`, `outcome`, `jobs`), `duration` and `failed`")
    })
}

/// All of the text is escaped, since nobody can tell what of it came from a commit message or a file: `<!channel>` and
/// links stay text. The three characters are those that Slack's reference on formatting names.
fn slack(text: &str) -> String {
    let mut short: String = text.chars().take(SLACK_TEXT).collect();
    if short.len() < text.len() {
        short.pop();
        short.push('…');
    }
    short.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Value {
        json!({
            "id": "r1", "workflow": "ci", "outcome": "failed", "duration-ms": 83_500,
            "jobs": {
                "test": { "outcome": "failed", "steps": {
                    "unit": { "name": "unit tests", "outcome": "failed", "findings": 0, "failure": "the `sh` script exited with code 1" },
                    "docs": { "name": "docs", "outcome": "passed", "findings": 0 },
                }},
            },
        })
    }

    fn text(format: Format, title: Option<&str>, message: &str) -> Result<Value, Failure> {
        body(format, title, message, &run()).map(|bytes| serde_json::from_slice(&bytes).unwrap())
    }

    /// The default of `message`, read from the manifest so that the two cannot differ.
    fn default_message() -> String {
        let manifest = include_str!("../plugin.yaml");
        let line = manifest.lines().find_map(|line| line.trim().strip_prefix("default: \"{{")).unwrap();
        serde_json::from_str(&format!("\"{{{{{line}")).unwrap()
    }

    #[test]
    fn the_default_message_tells_what_failed() {
        assert_eq!(
            text(Format::Slack, None, &default_message()).unwrap(),
            json!({ "text": "ci: failed after 1 min 23 s\n- test/unit: the `sh` script exited with code 1" })
        );
    }

    #[test]
    fn json_has_the_whole_run() {
        assert_eq!(
            text(Format::Json, Some("{{ run.workflow }}"), "{{ run.jobs.test.steps | length }} <steps>").unwrap(),
            json!({ "title": "ci", "message": "2 <steps>", "run": run() })
        );
    }

    #[test]
    fn slack_text_cannot_ping_or_link() {
        assert_eq!(
            text(Format::Slack, Some("a & b"), "<!channel> <https://x|y> {{ run.id }}").unwrap(),
            json!({ "text": "*a &amp; b*\n&lt;!channel&gt; &lt;https://x|y&gt; r1" })
        );
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let body = text(Format::Slack, None, &"é".repeat(SLACK_TEXT + 1)).unwrap();
        assert_eq!(body["text"], format!("{}…", "é".repeat(SLACK_TEXT - 1)));
        let whole = "é".repeat(SLACK_TEXT);
        assert_eq!(text(Format::Slack, None, &whole).unwrap()["text"], whole);
    }

    #[test]
    fn a_template_that_names_nothing_is_an_invalid_input() {
        let cases = [
            ("{{ run.outcom }}", "the template `message` cannot be rendered, line 1: undefined value"),
            ("a\n{{ nothing }}", "the template `message` cannot be rendered, line 2: undefined value"),
            ("{% if %}", "the template `message` cannot be rendered, line 1: syntax error: unexpected end of block"),
        ];
        for (template, message) in cases {
            assert_eq!(text(Format::Json, None, template).unwrap_err().message(), message, "{template}");
        }
    }

    #[test]
    fn durations_read_well() {
        let cases = [(0, "0.0 s"), (840, "0.8 s"), (12_999, "12 s"), (200_000, "3 min 20 s"), (7_500_000, "2 h 5 min")];
        for (milliseconds, expected) in cases {
            assert_eq!(duration(milliseconds), expected);
        }
    }
}
