//! What the host allowed and denied.

use sluice_model::grant::Capability;
use sluice_model::{Denial, EventKind, Repeated, Ruling, Verdict};
use sluice_report::Plain;
use sluice_report::audit::{Audit, Wanted};

use crate::events::{Script, digest, step};
use crate::{COLOR, UNICODE, options, visible};

/// Two attempts of a step, the second one chatty; a step that tries to draw.
fn run() -> Script {
    let mut script = Script::start(&[("build", &["fetch", "archive"])]);
    let git = || Ruling::allowed(Capability::Exec, "running `git`", "git").detail("program", "/usr/bin/git");
    let decide = |id: &str, ruling: Ruling| EventKind::Decision { id: step(id), digest: digest(), ruling };
    script.job("build").step("build/fetch", "fetch").after(120).say(decide("build/fetch", git()));
    script.after(1000).attempt("build/fetch", "fetch", 2).after(30).say(decide("build/fetch", git()));
    let repeated = vec![Repeated { times: 12_000, ruling: git() }];
    script.say(EventKind::DecisionsCounted { id: step("build/fetch"), repeated, left_out: 1 });
    let evil = "GET https://evil.example/\u{1b}[2Jx";
    let denial = Denial::new(Capability::Http, evil, "GET https://evil.example/*").because("it is forbidden");
    script.step("build/archive", "archive").say(decide("build/archive", Ruling::from(&denial)));
    let no_grant = Ruling::without_grant(Capability::Tcp, "looking up the name `::1`", Verdict::Allowed, "an address");
    script.say(decide("build/archive", no_grant));
    script
}

fn table(wanted: Wanted) -> Audit {
    let mut audit = Audit::new(wanted);
    run().events.iter().for_each(|event| audit.on_event(event));
    audit
}

#[test]
fn decisions_are_a_table() {
    insta::assert_snapshot!(table(Wanted::default()).to_text(UNICODE));
    let denied = Wanted { only_denied: true, steps: Some(vec![step("build/archive")]) };
    insta::assert_snapshot!(visible(&table(denied).to_text(COLOR)));
    let none = Wanted { only_denied: true, steps: Some(vec![step("build/other")]) };
    assert_eq!(table(none).to_text(UNICODE), "nothing was denied\n");
}

#[test]
fn decisions_are_json() {
    let json = table(Wanted::default()).to_json("20261121-094512-7f3a");
    assert_eq!(json["decisions"][1]["attempt"], 2);
    assert_eq!(json["decisions"][1]["times"], 12_000);
    assert_eq!(json["decisions"][0]["details"], serde_json::json!({"program": "/usr/bin/git"}));
    assert_eq!(json["left-out"], serde_json::json!([{"job": "build", "step": "fetch", "decisions": 1}]));
}

#[test]
fn decisions_are_lines_for_who_asks() {
    let lines = |mut plain: Plain| {
        let mut out = Vec::new();
        run().events.iter().for_each(|event| plain.on_event(event, &mut out).unwrap());
        String::from_utf8(out).unwrap()
    };
    insta::assert_snapshot!(lines(Plain::new(options(UNICODE), 80).with_decisions()));
    assert!(!lines(Plain::new(options(UNICODE), 80)).contains("git"));
}
