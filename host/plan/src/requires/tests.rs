use sluice_workflow::Workflow;

use super::*;

fn workflow(requires: &str) -> Workflow {
    let source = Source::new("test.yaml", format!("requires: {{{requires}}}\nsteps:\n- run: x\n"));
    let (workflow, problems) = sluice_workflow::parse(&source);
    assert_eq!(problems, []);
    workflow.unwrap()
}

fn machine() -> Machine {
    let said = |text: &str| Answer::Said(text.to_owned());
    Machine {
        commands: BTreeMap::from([
            ("git".into(), said("git version 2.43.0")),
            ("mute".into(), said("hello")),
            ("broken".into(), Answer::Failed("ended with exit code 3".into())),
            ("make".into(), Answer::There),
        ]),
        disk_free: Ok(3 << 29),
        root: true,
        os: "linux".into(),
        sluice: "0.1.0".into(),
    }
}

#[test]
fn what_is_there_is_no_problem() {
    for requires in [
        "",
        "commands: {git: '>=2.30', mute: '*', make: '*'}",
        "disk: 1GiB, user: root, os: [macos, linux], sluice: '>=0.1'",
        "os: linux",
    ] {
        let workflow = workflow(requires);
        assert_eq!(unmet(&workflow.requires, &machine(), &workflow.source), [], "{requires}");
    }
}

#[test]
fn what_is_not_there_is_told_at_its_place() {
    for (requires, expected) in [
        ("commands: {git: ^3}", "`git` is version 2.43.0, and ^3 is required | ^3: found 2.43.0"),
        ("commands: {nope: '*'}", "the program `nope` is not there | '*': not found on the search path"),
        (
            "commands: {mute: '>1'}",
            "the version of `mute` cannot be found out | '>1': `mute --version` prints nothing that looks like a version",
        ),
        (
            "commands: {broken: 1}",
            "the version of `broken` cannot be found out | 1: `broken --version` ended with exit code 3",
        ),
        ("disk: 2GiB", "1.5GiB of disk space are free, and 2GiB are required | 2GiB: found 1.5GiB"),
        ("user: non-root", "Sluice runs as root, and a user who is not root is required | non-root: found root"),
        ("os: macos", "this machine runs `linux`, and `macos` is required | macos: found `linux`"),
        ("sluice: '>=1'", "this is Sluice 0.1.0, and >=1 is required | '>=1': found 0.1.0"),
    ] {
        let workflow = workflow(requires);
        let problems = unmet(&workflow.requires, &machine(), &workflow.source);
        let [problem] = problems.as_slice() else { panic!("{requires}: {problems:?}") };
        let label = &problem.labels[0];
        let marked = &workflow.source.text()[label.span.start..label.span.end];
        assert_eq!(format!("{} | {marked}: {}", problem.message, label.text), expected);
        assert_eq!(problem.code, codes::UNMET);
    }
    let all = workflow("os: macos, commands: {nope: '*', git: ^3}, disk: 2GiB, user: non-root, sluice: '>=1'");
    assert_eq!(unmet(&all.requires, &machine(), &all.source).len(), 6);
}

#[test]
fn sizes_read_well() {
    for (bytes, expected) in
        [(0, "0B"), (1023, "1023B"), (1536, "1.5KiB"), (5 << 30, "5.0GiB"), (u64::MAX, "17179869183.9GiB")]
    {
        assert_eq!(size(bytes), expected);
    }
}
