//! Checklists, questions and answers, as people read them.

use sluice_model::approval::{Gate, GateState};
use sluice_model::{ApprovalRequest, Decision};
use unicode_width::UnicodeWidthStr;

use crate::look::{BOLD, DIM, GREEN, Look, RED, YELLOW};
use crate::text;

/// The checklist of a job, a line each: mark, gate, state, what was checked or is asked.
pub fn table(job: &str, gates: &[Gate], look: Look) -> String {
    let names: Vec<_> = gates.iter().map(|gate| text::clean(&gate.name, look)).collect();
    let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let mut out = format!("{}\n", look.paint(BOLD, format_args!("checklist of {}", text::clean(job, look))));
    for (gate, name) in gates.iter().zip(names) {
        let (mark, style, words) = match gate.state {
            GateState::Holds => (look.pick("✔", "+"), GREEN, "holds"),
            GateState::DoesNotHold => (look.pick("✘", "x"), RED, "does not hold"),
            GateState::ToAttest => ("?", YELLOW, "to attest"),
        };
        let pad = " ".repeat(width - name.width());
        let words = look.paint(style, format_args!("{words:<13}"));
        let detail = look.paint(DIM, text::clean(gate.detail.as_deref().unwrap_or_default(), look));
        let line = format!("  {} {name}{pad}  {words}  {detail}", look.paint(style, mark));
        out.push_str(&format!("{}\n", line.trim_end()));
    }
    out
}

/// `? deploy waits for approval: Deploy 1.2 to production?  (alice or bob)`
pub fn asked(request: &ApprovalRequest, look: Look) -> String {
    let [job, message] = [&request.job, &request.message].map(|text| text::clean(text, look));
    let restricted = !request.by.is_empty() || request.not_by.is_some();
    let who = if restricted { format!("  by {}", text::clean(&request.who(), look)) } else { String::new() };
    let words = look.paint(YELLOW, format_args!("? {job} waits for approval:"));
    format!("{words} {message}{}\n", look.paint(DIM, who))
}

/// `✔ deploy approved by alice: go  (attested: announced)`
pub fn given(decision: &Decision, look: Look) -> String {
    let (mark, style) = match decision.approved {
        true => (look.pick("✔", "+"), GREEN),
        false => (look.pick("✘", "x"), RED),
    };
    let job = text::clean(&decision.job, look);
    let attested = match decision.attested.as_slice() {
        [] => String::new(),
        names => format!("  attested: {}", text::clean(&names.join(", "), look)),
    };
    let words = text::clean(&decision.words(), look).into_owned();
    format!("{} {job} {words}{}\n", look.paint(style, mark), look.paint(DIM, attested))
}
