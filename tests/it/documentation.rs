//! Every example in the documentation is true: whole workflows are checked, manifests are packed.
//!
//! Examples are fences marked as `yaml`. A whole workflow has `jobs:` or `steps:` at the start of a line, a manifest
//! `kinds:`; anything else is an excerpt and is not looked at. A file of another tool says so in its first line, by a
//! comment with its name. A workflow may use `./PATH/NAME.wasm`: the page's manifest of that NAME in a component, or, if
//! the page has none, a plain WASI command. A workflow that others on the page call says its file in its first line.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::environment::{Environment, guest, repository};

const OTHER_TOOLS: [&str; 2] = ["# .github/", "# .gitlab-ci.yml"];

/// Exports every kind, so that any manifest fits.
const COMPONENT: &str = r#"
(component
  (instance $none)
  (export "sluice:plugin/lint@1.0.0" (instance $none))
  (export "sluice:plugin/scan@1.0.0" (instance $none))
  (export "sluice:plugin/build@1.0.0" (instance $none))
  (export "sluice:plugin/deploy@1.0.0" (instance $none))
  (export "sluice:plugin/notify@1.0.0" (instance $none))
  (export "sluice:plugin/task@1.0.0" (instance $none)))
"#;

struct Example {
    /// Where it stands: `docs/language.md:12`.
    place: String,
    text: String,
}

impl Example {
    fn has(&self, keys: &[&str]) -> bool {
        self.text.lines().any(|line| keys.iter().any(|key| line.starts_with(key)))
    }

    fn is_workflow(&self) -> bool {
        self.has(&["jobs:", "steps:"]) && !OTHER_TOOLS.iter().any(|file| self.text.starts_with(file))
    }

    fn is_manifest(&self) -> bool {
        self.has(&["kinds:"])
    }

    /// The name in a manifest.
    fn name(&self) -> &str {
        self.text.lines().find_map(|line| line.strip_prefix("name: ")).unwrap_or_default()
    }

    /// Paths of plugins in a workflow.
    fn components(&self) -> impl Iterator<Item = &str> {
        self.text.split_whitespace().filter(|word| word.starts_with("./") && word.ends_with(".wasm"))
    }
}

fn examples(page: &str, markdown: &str) -> Vec<Example> {
    let mut found = Vec::new();
    let mut lines = markdown.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(indent) = line.find("```yaml") else { continue };
        let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim_start() != "```");
        let text = inside.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect();
        found.push(Example { place: format!("{page}:{}", number + 1), text });
    }
    found
}

fn pages() -> BTreeMap<String, Vec<Example>> {
    let root = repository();
    let listed = |folder: &str| -> Vec<PathBuf> {
        fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let mut paths = vec![root.join("README.md"), root.join("CONTRIBUTING.md"), root.join("sdk/rust/README.md")];
    paths.extend(listed("docs").into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    paths.extend(listed("plugins").into_iter().map(|folder| folder.join("README.md")).filter(|path| path.is_file()));
    let read = |path: PathBuf| {
        let page = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let examples = examples(&page, &fs::read_to_string(&path).unwrap());
        (page, examples)
    };
    paths.into_iter().map(read).collect()
}

/// Puts a manifest into a component at `path`, as a reader of the page would.
fn pack(environment: &Environment, manifest: &str, path: &str) -> Result<(), String> {
    environment.write("component.wasm", wat::parse_str(COMPONENT).unwrap()).write("plugin.yaml", manifest);
    environment.write(path, "");
    let ran = environment.sluice(&["plugin", "pack", "component.wasm", "plugin.yaml", "-o", path]);
    if ran.code == 0 { Ok(()) } else { Err(ran.whole()) }
}

fn check(workflow: &Example, page: &[Example]) -> Result<(), String> {
    let environment = Environment::new();
    for path in workflow.components() {
        let name = path.rsplit('/').next().and_then(|file| file.strip_suffix(".wasm")).unwrap_or_default();
        match page.iter().find(|example| example.is_manifest() && example.name() == name) {
            Some(manifest) => pack(&environment, &manifest.text, path)?,
            None => drop(environment.write(path, guest("greet.wasm"))),
        }
    }
    // Workflows that the page gives a file name, so that others can call them.
    for example in page {
        let name = example.text.lines().next().and_then(|line| line.strip_prefix("# "));
        if let Some(file) = name.filter(|name| name.ends_with(".yaml") && !name.contains(' ')) {
            environment.write(file, &example.text);
        }
    }
    let ran = environment.write("sluice.yaml", &workflow.text).sluice(&["check"]);
    if ran.code == 0 { Ok(()) } else { Err(ran.whole()) }
}

#[test]
fn examples_in_the_documentation_are_right() {
    let (mut workflows, mut manifests, mut wrong) = (0, 0, Vec::new());
    for page in pages().values() {
        for example in page {
            let result = if example.is_workflow() {
                workflows += 1;
                check(example, page)
            } else if example.is_manifest() {
                manifests += 1;
                pack(&Environment::new(), &example.text, "packed.wasm")
            } else {
                continue;
            };
            wrong.extend(result.err().map(|output| format!("{}\n{output}", example.place)));
        }
    }
    assert!(wrong.is_empty(), "{} examples are wrong\n\n{}", wrong.len(), wrong.join("\n"));
    assert!(workflows >= 12 && manifests >= 2, "only {workflows} workflows and {manifests} manifests were found");
}

#[test]
fn examples_are_told_apart() {
    let markdown = "\
text
```yaml
steps:
  - uses: lint
```
1. In a list:

   ```yaml
   name: todo
   kinds: [lint]

   # end
   ```
```yaml
- uses: lint
```
```yaml
# .github/workflows/ci.yml
jobs: {}
```
```sh
steps:
```
";
    let found = examples("page.md", markdown);
    let facts: Vec<_> = found.iter().map(|e| (e.place.as_str(), e.is_workflow(), e.is_manifest())).collect();
    assert_eq!(
        facts,
        [
            ("page.md:2", true, false),
            ("page.md:8", false, true),
            ("page.md:14", false, false),
            ("page.md:17", false, false),
        ]
    );
    assert_eq!(found[1].text, "name: todo\nkinds: [lint]\n\n# end\n");
    assert_eq!(found[1].name(), "todo");
}
