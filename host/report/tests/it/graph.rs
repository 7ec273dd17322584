//! Graphs in every form.

use sluice_model::Outcome;
use sluice_report::graph::{Edge, Graph, Node, dot, mermaid, svg, text};

use crate::{ASCII, COLOR, UNICODE, visible};

fn graph(title: &str, nodes: &[(&str, usize)], edges: &[(usize, usize)]) -> Graph {
    let node = |(name, steps): &(&str, usize)| Node {
        name: (*name).to_owned(),
        steps: (1..=*steps).map(|step| format!("step {step}")).collect(),
        ..Node::default()
    };
    let edge = |(from, to): &(usize, usize)| Edge { from: *from, to: *to, whatever: false };
    Graph { title: title.to_owned(), nodes: nodes.iter().map(node).collect(), edges: edges.iter().map(edge).collect() }
}

/// Two roots, a diamond, an edge over a layer, and steps at the end.
pub fn pipeline() -> Graph {
    let nodes =
        [("lint", 2), ("fetch", 1), ("test-unit", 3), ("test-e2e", 1), ("package", 2), ("deploy", 1), ("finally", 1)];
    let edges = [(1, 2), (1, 3), (2, 4), (3, 4), (0, 5), (4, 5)];
    let mut graph = graph("release  workflows/release.yaml", &nodes, &edges);
    graph.edges.push(Edge { from: 5, to: 6, whatever: true });
    graph.nodes[5].marks = vec!["if".to_owned()];
    graph.nodes[3].outcome = Some(Outcome::Skipped);
    graph
}

/// Names that would end a label, a string or a tag.
fn hostile() -> Graph {
    let mut graph = graph(
        "a \"title\"\n-->",
        &[("say \"hi\"] end", 1), ("<script>alert(1)</script>&amp;#35;", 0), ("`x` \\ ; %% \u{1b}[2J 漢字", 0)],
        &[(0, 1), (0, 2), (1, 0), (0, 9)],
    );
    graph.nodes[0].steps[0] = "echo \"a\\n\" | tee </dev/null & #quot;".to_owned();
    graph
}

#[test]
fn layers_from_left_to_right() {
    insta::assert_snapshot!(text(&pipeline(), UNICODE, 120), @r"
    ╭───────────────╮
    │ lint  2 steps ├────────────────────────────────────────────────────╮  ╭─────────────────────╮   ╭─────────────────╮
    ╰───────────────╯    ╭────────────────────╮    ╭──────────────────╮ ╭┴─►│ deploy  1 step · if ├╌╌►│ finally  1 step │
                      ╭─►│ test-unit  3 steps ├─┬─►│ package  2 steps ├─╯   ╰─────────────────────╯   ╰─────────────────╯
    ╭───────────────╮ │  ╰────────────────────╯ │  ╰──────────────────╯
    │ fetch  1 step ├─┤  ╭────────────────────╮ │
    ╰───────────────╯ ╰─►│ - test-e2e  1 step ├─╯
                         ╰────────────────────╯
    ");
}

#[test]
fn less_room_less_detail() {
    insta::assert_snapshot!(text(&pipeline(), UNICODE, 80), @r"
    ╭───────╮
    │ lint  ├───────────────────────────────────╮  ╭────────╮   ╭─────────╮
    ╰───────╯    ╭────────────╮    ╭─────────╮ ╭┴─►│ deploy ├╌╌►│ finally │
              ╭─►│ test-unit  ├─┬─►│ package ├─╯   ╰────────╯   ╰─────────╯
    ╭───────╮ │  ╰────────────╯ │  ╰─────────╯
    │ fetch ├─┤  ╭────────────╮ │
    ╰───────╯ ╰─►│ - test-e2e ├─╯
                 ╰────────────╯
    ");
    let ascii = text(&pipeline(), ASCII, 120);
    assert!(ascii.is_ascii());
    insta::assert_snapshot!(ascii, @r"
    +---------------+
    | lint  2 steps +----------------------------------------------------+  +--------------------+   +-----------------+
    +---------------+    +--------------------+    +------------------+ ++->| deploy  1 step, if +-->| finally  1 step |
                      +->| test-unit  3 steps +-+->| package  2 steps +-+   +--------------------+   +-----------------+
    +---------------+ |  +--------------------+ |  +------------------+
    | fetch  1 step +-+  +--------------------+ |
    +---------------+ +->| - test-e2e  1 step +-+
                         +--------------------+
    ");
}

#[test]
fn a_narrow_terminal_gets_a_job_a_line() {
    insta::assert_snapshot!(text(&pipeline(), UNICODE, 30), @r"
    ● lint  2 steps
    │ ● fetch  1 step
    │ ├─╮
    │ │ ● test-unit  3 steps
    │ │ │
    │ - │ test-e2e  1 step
    │ ├─╯
    │ ● package  2 steps
    ├─╯
    ● deploy  1 step · if
    │
    ● finally  1 step
    ");
}

#[test]
fn one_job_and_none() {
    insta::assert_snapshot!(text(&graph("", &[("main", 1)], &[]), UNICODE, 80), @r"
    ╭──────────────╮
    │ main  1 step │
    ╰──────────────╯
    ");
    assert_eq!(text(&Graph::default(), UNICODE, 80), "");
    assert!(svg(&Graph::default()).ends_with("</svg>\n"));
}

#[test]
fn colours() {
    insta::assert_snapshot!(visible(&text(&graph("", &[("a", 1), ("b", 1)], &[(0, 1)]), COLOR, 80)), @r"
    ␛[2m╭───────────╮   ╭───────────╮␛[0m
    ␛[2m│ ␛[0m␛[1ma  ␛[0m␛[2m1 step ├──►│ ␛[0m␛[1mb  ␛[0m␛[2m1 step │␛[0m
    ␛[2m╰───────────╯   ╰───────────╯␛[0m
    ");
}

#[test]
fn lines_that_only_cross_do_not_touch() {
    let crossed = graph(
        "",
        &[("a", 1), ("b", 1), ("c", 1), ("x", 1), ("y", 1), ("z", 1)],
        &[(0, 4), (0, 5), (1, 3), (1, 5), (2, 3), (2, 4)],
    );
    insta::assert_snapshot!(text(&crossed, UNICODE, 80), @r"
    ╭───────────╮
    │ a  1 step ├───╮  ╭───────────╮
    ╰───────────╯ ╭─┼─►│ z  1 step │
    ╭───────────╮ │ │  ╰───────────╯
    │ b  1 step ├─┤ │  ╭───────────╮
    ╰───────────╯ │╭┴─►│ y  1 step │
    ╭───────────╮ ││   ╰───────────╯
    │ c  1 step ├─│┤   ╭───────────╮
    ╰───────────╯ ╰┴──►│ x  1 step │
                       ╰───────────╯
    ");
}

#[test]
fn hostile_names_stay_text() {
    insta::assert_snapshot!(text(&hostile(), UNICODE, 120), @r#"
    ╭───────────────────────────────────────────╮
    │ say "hi"] end  1 step                     │
    ╰───────────────────────────────────────────╯
    ╭───────────────────────────────────────────╮
    │ <script>alert(1)</script>&amp;#…  0 steps │
    ╰───────────────────────────────────────────╯
    ╭───────────────────────────────────────────╮
    │ `x` \ ; %% ␛[2J 漢字  0 steps             │
    ╰───────────────────────────────────────────╯
    "#);
    insta::assert_snapshot!(mermaid(&hostile()), @r#"
    ---
    title: "a \"title\" -->"
    ---
    flowchart LR
        n0["<b>say #34;hi#34;#93; end</b><br/>echo #34;a#92;n#34; #124; tee #60;/dev/null #38; #35;quot#59;"]
        n1["<b>#60;script#62;alert(1)#60;/script#62;#38;amp#59;#35;35#59;</b>"]
        n2["<b>#96;x#96; #92; #59; #37;#37;  #91;2J 漢字</b>"]
        n0 --> n1
        n0 --> n2
        n1 --> n0
    "#);
    insta::assert_snapshot!(dot(&hostile()), @r#"
    digraph "a \"title\" -->" {
        rankdir=LR;
        node [shape=box, style=rounded, fontname="monospace"];
        n0 [label="say \"hi\"] end\lecho \"a\\n\" | tee </dev/null & #quot;\l"];
        n1 [label="<script>alert(1)</script>&amp;#35;"];
        n2 [label="`x` \\ ; %%  [2J 漢字"];
        n0 -> n1;
        n0 -> n2;
        n1 -> n0;
    }
    "#);
    let svg = svg(&hostile());
    assert!(!svg.contains("<script") && !svg.contains('\u{1b}'), "{svg}");
    assert!(svg.contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;#35;"), "{svg}");
}

#[test]
fn mermaid_and_dot() {
    insta::assert_snapshot!(mermaid(&pipeline()), @r#"
    ---
    title: "release  workflows/release.yaml"
    ---
    flowchart LR
        n0["<b>lint</b><br/>step 1<br/>step 2"]
        n1["<b>fetch</b><br/>step 1"]
        n2["<b>test-unit</b><br/>step 1<br/>step 2<br/>step 3"]
        n3["<b>test-e2e</b><br/>step 1"]
        n4["<b>package</b><br/>step 1<br/>step 2"]
        n5["<b>deploy</b><br/>step 1<br/><i>if</i>"]
        n6["<b>finally</b><br/>step 1"]
        n1 --> n2
        n1 --> n3
        n2 --> n4
        n3 --> n4
        n0 --> n5
        n4 --> n5
        n5 -.-> n6
        classDef skipped stroke-dasharray: 4 3
        class n3 skipped
    "#);
    insta::assert_snapshot!(dot(&pipeline()), @r#"
    digraph "release  workflows/release.yaml" {
        rankdir=LR;
        node [shape=box, style=rounded, fontname="monospace"];
        n0 [label="lint\lstep 1\lstep 2\l"];
        n1 [label="fetch\lstep 1\l"];
        n2 [label="test-unit\lstep 1\lstep 2\lstep 3\l"];
        n3 [label="test-e2e\lstep 1\l", style="rounded,dashed"];
        n4 [label="package\lstep 1\lstep 2\l"];
        n5 [label="deploy\lstep 1\lif\l"];
        n6 [label="finally\lstep 1\l"];
        n1 -> n2;
        n1 -> n3;
        n2 -> n4;
        n3 -> n4;
        n0 -> n5;
        n4 -> n5;
        n5 -> n6 [style=dashed];
    }
    "#);
}

#[test]
fn a_picture() {
    insta::assert_snapshot!(svg(&pipeline()));
}

/// A pseudo-random graph, the same each time.
fn random(nodes: usize, edges: usize, mut seed: u64) -> Graph {
    let names: Vec<String> = (0..nodes).map(|node| format!("job-{node}")).collect();
    let nodes: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let edges: Vec<(usize, usize)> = (0..edges)
        .map(|_| (next(nodes.len()), next(nodes.len())))
        .filter(|(a, b)| a != b)
        .map(|(a, b)| (a.min(b), a.max(b)))
        .collect();
    graph("random", &nodes, &edges)
}

/// Every name once; what leaves a node's right side in the text and what enters one on its left.
#[test]
fn large_graphs_are_drawn_whole() {
    let chain: Vec<(usize, usize)> = (1..200).map(|node| (node - 1, node)).collect();
    let names: Vec<String> = (0..200).map(|node| format!("job-{node}")).collect();
    let named: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let fan: Vec<(usize, usize)> = (1..199).flat_map(|node| [(0, node), (node, 199)]).collect();
    let shapes = [
        graph("deep", &named, &chain),
        graph("wide", &named, &[]),
        graph("fan", &named, &fan),
        random(200, 300, 1),
        random(200, 2000, 2),
        random(12, 16, 3),
        random(12, 60, 4),
    ];
    for graph in &shapes {
        for width in [20, 80, 120, 4000] {
            let text = text(graph, UNICODE, width);
            let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '-')).collect();
            for node in &graph.nodes {
                assert!(words.contains(&node.name.as_str()), "{} is missing in\n{text}", node.name);
            }
        }
        let svg = svg(graph);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", graph.title);
    }
}
