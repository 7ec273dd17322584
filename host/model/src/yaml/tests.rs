use super::*;

const DIALECT: Dialect = Dialect {
    syntax: "x::yaml",
    too_large: "x::too-large",
    empty: "x::empty",
    unknown_field: "x::unknown-field",
    missing_field: "x::missing-field",
    wrong_type: "x::wrong-type",
    max_bytes: 1 << 16,
};

fn read(text: &str) -> Result<Node, Vec<Problem>> {
    parse(&Source::new("t.yaml", text), &DIALECT)
}

fn json(text: &str) -> String {
    read(text).map_or_else(|problems| complaints(text, &problems), |node| node.to_json().to_string())
}

/// `line:column message; ...`, every label's place.
fn complaints(text: &str, problems: &[Problem]) -> String {
    let source = Source::new("t.yaml", text);
    let place = |problem: &Problem| {
        let places: Vec<_> = problem.labels.iter().map(|label| source.line_column(label.span.start)).collect();
        places.iter().map(|(line, column)| format!("{line}:{column}")).collect::<Vec<_>>().join(" and ")
    };
    problems.iter().map(|problem| format!("{} {}", place(problem), problem.message)).collect::<Vec<_>>().join("; ")
}

#[test]
fn scalars_follow_the_core_schema() {
    for (text, expected) in [
        ("[yes, no, on, off, y, n]", r#"["yes","no","on","off","y","n"]"#),
        ("[true, False, TRUE, tRUE]", r#"[true,false,true,"tRUE"]"#),
        ("[~, null, Null, nUll]", r#"[null,null,null,"nUll"]"#),
        ("[1, -2, +3, 0x1F, 0o17, 017]", "[1,-2,3,31,15,17]"),
        ("[\"1\", '2', !!str 3, !!float 4]", r#"["1","2","3",4.0]"#),
        ("[0x, 0b1, 1_000, 12:30, 2024-01-02]", r#"["0x","0b1","1_000","12:30","2024-01-02"]"#),
        ("a: |\n  x\n  y\nb: >-\n  p\n  q\n", r#"{"a":"x\ny\n","b":"p q"}"#),
    ] {
        assert_eq!(json(text), expected, "{text}");
    }
    assert_eq!(json("[1.5, -.5, 1e3, 1., 1e, e1, 1.2.3, '-']"), r#"[1.5,-0.5,1000.0,1.0,"1e","e1","1.2.3","-"]"#);
}

#[test]
fn anchors_aliases_and_merges_are_expanded() {
    for (text, expected) in [
        ("a: &x [1]\nb: *x", r#"{"a":[1],"b":[1]}"#),
        ("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}", r#"{"a":{"p":1,"q":2},"b":{"q":3,"p":1}}"#),
        ("a: &x {p: 1}\nb: &y {p: 2, r: 2}\nc: {<<: [*x, *y]}", r#"{"a":{"p":1},"b":{"p":2,"r":2},"c":{"p":1,"r":2}}"#),
        ("\"<<\": 1", r#"{"<<":1}"#),
        ("&k a: 1\nb: *k", r#"{"a":1,"b":"a"}"#),
    ] {
        assert_eq!(json(text), expected, "{text}");
    }
}

#[test]
fn what_is_refused_says_where() {
    for (text, expected) in [
        ("a: 1\nb: 2\na: 3\nb: 4", "3:1 and 1:1 the key `a` is given twice; 4:1 and 2:1 the key `b` is given twice"),
        ("1: x\ntrue: y", "1:1 the key `1` is not text; 2:1 the key `true` is not text"),
        ("? [a]\n: x", "1:3 a key is a list or a mapping"),
        ("a: 1\n---\nb: 2", "2:1 more than one document in the file"),
        ("a: &x [*x]", "1:8 an alias stands inside the value that its anchor names"),
        ("a: *x", "1:4 not valid YAML: while parsing node, found unknown anchor"),
        ("a: 99999999999999999999", "1:4 `99999999999999999999` is an integer out of the range of 64 bits"),
        (
            "[.inf, -.INF, .nan, 1e999]",
            "1:2 `.inf` is a number that is not finite; 1:8 `-.INF` is a number that is not finite; 1:15 `.nan` is a number that is not finite; 1:21 `1e999` is a number out of range",
        ),
        ("a: !secret x", "1:12 `x` is tagged with a type that is not supported"),
        ("a: &x 1\nb: {<<: *x}", "1:7 `<<` merges something that is no mapping"),
        ("a: b: c", "1:5 not valid YAML: mapping values are not allowed in this context"),
        ("", "1:1 the file is empty"),
        ("# only a comment\n", "1:1 the file is empty"),
    ] {
        assert_eq!(json(text), expected, "{text}");
    }
}

#[test]
fn bombs_are_short_errors() {
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let references = vec![format!("*a{}", i - 1); 10].join(", ");
        laughs += &format!("a{i}: &a{i} [{references}]\n");
    }
    let message = |text: &str| read(text).map_or_else(|problems| problems[0].message.clone(), |_| "read".into());
    assert_eq!(message(&laughs), "aliases make this file too large: they copy more than 20000 values");
    assert_eq!(message(&"[".repeat(100)), "values are nested more than 64 deep");
    assert_eq!(message(&format!("{}{}", "[".repeat(64), "]".repeat(64))), "read");
    let blocks: String = (0..100).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    assert_eq!(message(&blocks), "values are nested more than 64 deep");
    let mut chain = String::from("a0: &a0 [x]\n");
    for i in 1..100 {
        chain += &format!("a{i}: &a{i} [*a{}]\n", i - 1);
    }
    assert_eq!(message(&chain), "values are nested more than 64 deep");
    let long = "x".repeat(DIALECT.max_bytes + 1);
    assert_eq!(message(&long), "`t.yaml` is too large: 65537 bytes, at most 65536 are read");
}

#[test]
fn spans_cover_what_was_written() {
    let text = "ä: [b, 'c d']\nblock:\n  x: |\n    line\n    more\n\nflow: {k: \"v\"}\nlist:\n- p\n- q: r\n";
    let root = read(text).unwrap_or_else(|problems| panic!("{}", complaints(text, &problems)));
    let shown = |node: &Node| text[node.span.start..node.span.end].to_owned();
    let at = |name: &str| root.get(name).map(shown).unwrap_or_default();
    assert_eq!(at("ä"), "[b, 'c d']");
    assert_eq!(at("block"), "x: |\n    line\n    more");
    assert_eq!(at("flow"), "{k: \"v\"}");
    assert_eq!(at("list"), "- p\n- q: r");
    assert_eq!(root.get("flow").and_then(|node| node.get("k")).map(shown).as_deref(), Some("\"v\""));
    let NodeValue::Mapping(entries) = &root.value else { panic!("a mapping") };
    let keys: Vec<_> = entries.iter().map(|(key, _)| &text[key.span.start..key.span.end]).collect();
    assert_eq!(keys, ["ä", "block", "flow", "list"]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    assert_eq!(json("\u{feff}a: 1"), r#"{"a":1}"#);
}
