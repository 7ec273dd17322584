//! A terminal.

use sluice_model::event::Level;
use sluice_model::{Event, EventKind, Failure, FailureKind, Outcome};
use sluice_report::{Live, Look, Size};

use crate::events::{START, Script, failing_run, passing_run, step};
use crate::{ASCII, COLOR, UNICODE, options, visible};

const SIZE: Size = Size { columns: 80, rows: 24 };

fn live(look: Look, size: Size, events: &[Event]) -> Live {
    let mut live = Live::new(options(look), size);
    for event in events {
        live.on_event(event);
    }
    live
}

#[test]
fn a_failing_run() {
    let mut live = live(UNICODE, SIZE, &failing_run());
    insta::assert_snapshot!(live.take_scrollback());
    assert_eq!(live.frame(START), "", "nothing moves after the end");
    assert_eq!(live.take_scrollback(), "", "lines are given once");
}

#[test]
fn a_failing_run_in_ascii() {
    let text = live(ASCII, SIZE, &failing_run()).take_scrollback();
    let strange: String = text.chars().filter(|c| !c.is_ascii() && !"漢字".contains(*c)).collect();
    assert_eq!(strange, "", "only what the file says is not ASCII");
    insta::assert_snapshot!(text);
}

#[test]
fn a_passing_run_in_colour() {
    insta::assert_snapshot!(visible(&live(COLOR, SIZE, &passing_run()).take_scrollback()));
}

/// Three jobs under way.
fn under_way() -> Script {
    let mut script = Script::start(&[
        ("lint", &["yaml", "docker"]),
        ("scan", &["secrets"]),
        ("build", &["archive", "tests"]),
        ("deploy", &["site"]),
    ]);
    script.job("lint").step("lint/yaml", "yaml files").job("scan").step("scan/secrets", "secrets");
    script.after(120).ended("lint/yaml", Outcome::Passed, 120).step("lint/docker", "dockerfiles").job("build");
    script.after(500).step("build/archive", "pack the site").progress("scan/secrets", 1, None, "");
    script.after(500).progress("build/archive", 120, Some(240), "packing site/index.html").after(200);
    script.log("lint/docker", Level::Info, "reading app/Dockerfile");
    script
}

#[test]
fn what_runs_moves() {
    let script = under_way();
    let screen = live(UNICODE, SIZE, &script.events);
    insta::assert_snapshot!(screen.frame(START + 1400), @r"
    ⠧ scan    secrets        1.40s  1
    ⠧ lint    dockerfiles    1.28s  reading app/Dockerfile
    ⠧ build   pack the site  0.78s  ━━━━━━━━────────  120/240  packing site/index.…
      0/4 jobs · 1/6 steps · 1.40s
    ");
    insta::assert_snapshot!(screen.frame(START + 61_480), @r"
    ⠇ scan    secrets        1m 01s  1
    ⠇ lint    dockerfiles    1m 01s  reading app/Dockerfile
    ⠇ build   pack the site  1m 00s  ━━━━━━━━────────  120/240  packing site/index…
      0/4 jobs · 1/6 steps · 1m 01s
    ");
    let narrow = Size { columns: 36, rows: 24 };
    insta::assert_snapshot!(live(UNICODE, narrow, &script.events).frame(START + 1400), @r"
    ⠧ scan    secrets        1.40s  1
    ⠧ lint    dockerfiles    1.28s  re…
    ⠧ build   pack the site  0.78s  ━━…
      0/4 jobs · 1/6 steps · 1.40s
    ");
    insta::assert_snapshot!(live(ASCII, SIZE, &script.events).frame(START + 1400), @r"
    / scan    secrets        1.40s  1
    / lint    dockerfiles    1.28s  reading app/Dockerfile
    / build   pack the site  0.78s  ########........  120/240  packing site/index.~
      0/4 jobs | 1/6 steps | 1.40s
    ");
    insta::assert_snapshot!(visible(&live(COLOR, SIZE, &script.events).frame(START + 1400)), @r"
    ␛[36m⠧␛[0m scan    secrets        ␛[2m1.40s␛[0m  1
    ␛[36m⠧␛[0m lint    dockerfiles    ␛[2m1.28s␛[0m  ␛[2mreading app/Dockerfile␛[0m
    ␛[36m⠧␛[0m build   pack the site  ␛[2m0.78s␛[0m  ␛[36m━━━━━━━━␛[0m␛[2m────────␛[0m  120/240  ␛[2mpacking site/index.…␛[0m
      ␛[1m0/4 jobs␛[0m ␛[2m· 1/6 steps␛[0m ␛[2m· 1.40s␛[0m
    ");
}

#[test]
fn a_frame_fits_every_terminal() {
    let mut script = under_way();
    for job in 0..50 {
        script.step(&format!("job-{job}/step"), "漢字漢字漢字漢字漢字漢字漢字");
    }
    for columns in 0..100 {
        for rows in 0..30 {
            let frame = live(UNICODE, Size { columns, rows }, &script.events).frame(START + 1400);
            assert!(frame.lines().count() < rows.max(4), "{columns} by {rows}:\n{frame}");
            for line in frame.lines() {
                let width = unicode_width::UnicodeWidthStr::width(line);
                assert!(width <= columns, "{columns} by {rows}: {width}: {line}");
            }
        }
    }
    let small = Size { columns: 40, rows: 8 };
    insta::assert_snapshot!(live(UNICODE, small, &script.events).frame(START + 1400), @r"
    ⠧ scan    secrets                   1.…
    ⠧ lint    dockerfiles               1.…
    ⠧ build   pack the site             0.…
    ⠧ job-0   漢字漢字漢字漢字漢字漢字漢字…
      and 49 more
      0/4 jobs · 1/6 steps · 1.40s
    ");
}

#[test]
fn hostile_text_does_not_reach_the_terminal() {
    let evil = "a\u{1b}[2Jb\u{1b}]0;owned\u{7}c\rd\u{9b}1me\u{202e}f\u{8}g";
    let mut script = Script::start(&[(evil, &[evil])]);
    let id = format!("{evil}/{evil}");
    script.job(evil).step(&id, evil).log(&id, Level::Error, evil).progress(&id, 1, Some(2), evil);
    let mut finding = crate::events::finding(sluice_model::Severity::Error, evil, evil, evil, [1, 1, 1, 3]);
    finding.help = Some(evil.to_owned());
    finding.properties.insert("alias".to_owned(), evil.to_owned());
    script.say(EventKind::Findings { id: step(&id), findings: vec![finding] });
    script.say(EventKind::Warning { message: evil.to_owned() });
    let frames = live(UNICODE, SIZE, &script.events).frame(START);
    let mut failure = Failure::new(FailureKind::Failed, evil).cause(evil).help(evil);
    let source = sluice_model::Source::new(evil, evil);
    let place = sluice_model::outcome::Place::new(&source, sluice_model::Span::new(0, 3), evil);
    failure.place = Some(place.into());
    script.failed(&id, Outcome::Failed, 1, failure).skipped(&id, evil).job_ended(evil, Outcome::Failed, 1);

    let mut with_file = options(UNICODE);
    with_file.read_source = Box::new(move |_| Some(evil.to_owned()));
    let mut screen = Live::new(with_file, SIZE);
    for event in script.end(Outcome::Failed, 1) {
        screen.on_event(&event);
    }
    let text = screen.take_scrollback() + &frames;
    let bad: Vec<char> = text.chars().filter(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}').collect();
    assert!(bad.is_empty(), "{bad:?}\n{text}");
    assert!(text.contains("a␛[2Jb␛]0;owned␇c␍d"), "it is shown, not lost:\n{text}");
}

#[test]
fn a_talkative_step_shows_its_last_lines_and_where_the_others_are() {
    let mut script = Script::start(&[("a", &["b"])]);
    script.job("a").step("a/b", "b");
    for line in 1..=1002 {
        script.log("a/b", Level::Info, &format!("line {line}"));
    }
    script.failed("a/b", Outcome::Failed, 1, Failure::new(FailureKind::Trap, "it panicked"));
    let text = live(UNICODE, SIZE, &script.events).take_scrollback();
    let expected = "  │ 2 lines before: sluice runs logs 20261121-094512-7f3a --step a/b\n  │ line 3\n";
    assert!(text.contains(expected), "{}", &text[..400]);
    assert!(text.contains("  │ line 1002\n\nplugin::trap\n"));
}

#[test]
fn many_jobs_are_counted_when_they_passed() {
    let names: Vec<String> = (0..100).map(|job| format!("job-{job}")).collect();
    let jobs: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), &["s"] as &[&str])).collect();
    let mut script = Script::start(&jobs);
    for (number, name) in names.iter().enumerate() {
        let outcome = if number == 42 { Outcome::Failed } else { Outcome::Passed };
        script.job(name).step(&format!("{name}/s"), "s").ended(&format!("{name}/s"), outcome, 10);
        script.job_ended(name, outcome, 10);
    }
    let text = live(UNICODE, SIZE, &script.end(Outcome::Failed, 1000)).take_scrollback();
    let (_, summary) = text.split_once("\n\n  ✘").unwrap();
    insta::assert_snapshot!(summary, @r"
     job-42   0.01s  failed
      99 more jobs passed or skipped

    ✘ nightly failed in 1.00s  99 steps passed, 1 failed
      record: .sluice/runs/20261121-094512-7f3a
      more:   sluice runs show 20261121-094512-7f3a
    ");
}
