//! `sluice:plugin/types`: what a plugin may ask and say.

use std::time::{Duration, Instant};

use serde_json::Value;
use sluice_model::event::Level;
use sluice_model::event::Stream;
use sluice_model::finding::{Edit, FileSpan, Finding, Fix, Severity};
use sluice_model::grant::Capability;
use sluice_model::{Denial, Ruling, Verdict};
use sluice_run::runner::Said;
use wasmtime::component::Resource;

use crate::bindings::types;
use crate::files::{self, FilesError};
use crate::state::{SinkHandle, State, StepHandle};
use crate::voice::Voice;

/// Progress that comes faster is dropped.
const PROGRESS_PAUSE: Duration = Duration::from_millis(50);
/// What a finding costs beside its texts, so that empty ones are not free. In bytes.
const FINDING_COST: usize = 64;

fn explanation(message: impl Into<String>, help: Option<String>) -> types::Explanation {
    types::Explanation { message: message.into(), help }
}

impl types::Host for State {}

impl types::HostStep for State {
    fn inputs(&mut self, _: Resource<StepHandle>) -> wasmtime::Result<String> {
        Ok(self.call.inputs.to_string())
    }

    fn files(
        &mut self,
        _: Resource<StepHandle>,
        globs: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<String>, types::Failure>> {
        let grants = &self.call.grants.files;
        if grants.is_empty() {
            let denial = Denial::new(Capability::Files, "listing files", "read .");
            let help = denial.help();
            self.audit.deny(denial.clone());
            return Ok(Err(types::Failure::Denied(explanation(denial.to_string(), help))));
        }
        let rule: Vec<String> = grants.iter().map(ToString::to_string).collect();
        // Which of the grants are needed is told when folders are opened.
        let ruling = Ruling::without_grant(Capability::Files, "listing files", Verdict::Allowed, rule.join(", "));
        self.audit.decide(if globs.is_empty() { ruling } else { ruling.detail("globs", globs.join(" ")) });
        Ok(files::list(&self.workspace, grants, &globs).map_err(|error| match error {
            FilesError::Glob(text) => types::Failure::InvalidInput(explanation(text, None)),
            FilesError::Disk(text) => types::Failure::Failed(explanation(text, None)),
        }))
    }

    fn cancelled(&mut self, _: Resource<StepHandle>) -> wasmtime::Result<bool> {
        Ok(self.call.cancel.is_cancelled())
    }

    fn time_left(&mut self, _: Resource<StepHandle>) -> wasmtime::Result<u64> {
        let spent = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(self.call.limits.time_ms.saturating_sub(spent))
    }

    fn idempotency_key(&mut self, _: Resource<StepHandle>) -> wasmtime::Result<String> {
        Ok(format!("{}/{}/{}", self.call.run, self.call.id, self.call.attempt))
    }

    fn run_summary(&mut self, _: Resource<StepHandle>) -> wasmtime::Result<String> {
        Ok(self.call.summary.to_string())
    }

    fn drop(&mut self, _: Resource<StepHandle>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl types::HostSink for State {
    fn findings(&mut self, _: Resource<SinkHandle>, findings: Vec<types::Finding>) -> wasmtime::Result<()> {
        self.voice.spend(findings.iter().map(size_of_finding).sum())?;
        let findings = findings.into_iter().map(|finding| clean_finding(&self.voice, finding)).collect();
        self.voice.say(Said::Findings(findings));
        Ok(())
    }

    fn output(
        &mut self,
        _: Resource<SinkHandle>,
        name: String,
        value: String,
    ) -> wasmtime::Result<Result<(), types::Failure>> {
        self.voice.spend(name.len() + value.len())?;
        let invalid = |text: String| Ok(Err(types::Failure::InvalidInput(explanation(text, None))));
        let value: Value = match serde_json::from_str(&value) {
            Ok(value) => value,
            Err(error) => return invalid(format!("the output `{}` is not JSON: {error}", name.escape_default())),
        };
        if let Err(why) = check_output(self.call.outputs_schema.as_ref(), &name, &value) {
            return invalid(why);
        }
        let value = self.voice.clean_value(value);
        self.outputs.insert(self.voice.clean(&name), value);
        Ok(Ok(()))
    }

    fn progress(
        &mut self,
        _: Resource<SinkHandle>,
        done: u64,
        total: Option<u64>,
        message: String,
    ) -> wasmtime::Result<()> {
        let now = Instant::now();
        let too_fast = self.progress_told.is_some_and(|told| now - told < PROGRESS_PAUSE);
        if too_fast && total != Some(done) {
            return Ok(());
        }
        self.voice.spend(message.len())?;
        self.progress_told = Some(now);
        self.voice.say(Said::Progress { done, total, message: self.voice.clean(&message) });
        Ok(())
    }

    fn log(&mut self, _: Resource<SinkHandle>, level: types::Level, message: String) -> wasmtime::Result<()> {
        self.voice.spend(message.len() + 1)?;
        let level = match level {
            types::Level::Debug => Level::Debug,
            types::Level::Info => Level::Info,
            types::Level::Warn => Level::Warn,
            types::Level::Error => Level::Error,
        };
        self.voice.log(Stream::Log, level, &message);
        Ok(())
    }

    fn drop(&mut self, _: Resource<SinkHandle>) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// Checks one output against the schema of the object of all outputs.
fn check_output(schema: Option<&Value>, name: &str, value: &Value) -> Result<(), String> {
    let Some(schema) = schema else { return Ok(()) };
    let Some(wanted) = schema.get("properties").and_then(|properties| properties.get(name)) else {
        return Err(format!("the manifest declares no output `{}`", name.escape_default()));
    };
    let validator = jsonschema::validator_for(wanted)
        .map_err(|error| format!("the manifest's schema of the output `{name}` is not valid: {error}"))?;
    validator.validate(value).map_err(|error| format!("the output `{name}` is not as the manifest declares: {error}"))
}

fn size_of_finding(finding: &types::Finding) -> usize {
    let span = |span: &types::Span| span.path.len();
    let fix = |fix: &types::Fix| {
        fix.description.len() + fix.edits.iter().map(|edit| edit.replacement.len() + span(&edit.span)).sum::<usize>()
    };
    FINDING_COST
        + finding.rule.len()
        + finding.message.len()
        + finding.help.as_ref().map_or(0, String::len)
        + finding.span.as_ref().map_or(0, span)
        + finding.fix.as_ref().map_or(0, fix)
        + finding.properties.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
}

fn clean_finding(voice: &Voice, finding: types::Finding) -> Finding {
    let text = |text: String| voice.clean(&text);
    let span = |span: types::Span| FileSpan {
        path: text(span.path),
        start_line: span.start_line,
        start_column: span.start_column,
        end_line: span.end_line,
        end_column: span.end_column,
    };
    Finding {
        rule: text(finding.rule),
        severity: match finding.severity {
            types::Severity::Info => Severity::Info,
            types::Severity::Warning => Severity::Warning,
            types::Severity::Error => Severity::Error,
        },
        message: text(finding.message),
        span: finding.span.map(span),
        help: finding.help.map(text),
        fix: finding.fix.map(|fix| Fix {
            description: text(fix.description),
            safe: fix.safe,
            // A replacement is written to a file, not to a terminal: only secrets are taken out of it.
            edits: fix
                .edits
                .into_iter()
                .map(|edit| Edit { span: span(edit.span), replacement: voice.mask(&edit.replacement) })
                .collect(),
        }),
        properties: finding.properties.into_iter().map(|(name, value)| (text(name), text(value))).collect(),
    }
}
