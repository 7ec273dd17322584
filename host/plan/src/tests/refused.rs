use super::*;

#[test]
fn plugins_that_cannot_be_used() {
    let none: &[(Capability, &[&str])] = &[];
    let mut mismatch = plugin("./mismatch.wasm", none);
    mismatch.exports = vec![Kind::Lint];
    let mut several = plugin("./several.wasm", none);
    several.exports = vec![Kind::Lint, Kind::Task];
    several.manifest.as_mut().unwrap().kinds = several.exports.clone();
    let mut bare = plugin("./bare.wasm", none);
    bare.manifest = None;
    let mut imports = plugin("./imports.wasm", none);
    imports.imports = [
        "sluice:host/exec@1.0.0",
        "sluice:host/exec@1.0.0",
        "sluice:host/kubernetes@1.0.0",
        "sluice:host/secrets@2.0.0",
        "wasi:keyvalue/store@0.2.0",
        "wasi:io/streams@0.3.0",
        "env",
    ]
    .map(str::to_owned)
    .into();
    let mut schema = plugin("./schema.wasm", &[(Capability::Http, &["GET ${{ inputs.url }}"])]);
    schema.manifest.as_mut().unwrap().inputs = json!({"type": "object", "properties": {"a": {"type": "strin"}}});
    let mut plugins = plugins([mismatch, several, bare, imports, schema]);
    let broken = PluginRef::parse("./broken.wasm").unwrap();
    plugins.insert(broken, Err(Problem::new("plan::no-manifest", "`./broken.wasm` is no component")));
    let yaml = "\
steps:
  - uses: lnt
  - uses: frobnicate
  - uses: ./mismatch.wasm
  - uses: ./several.wasm
  - uses: ./bare.wasm
  - uses: ./imports.wasm
  - uses: ./imports.wasm
  - uses: ./schema.wasm
  - uses: ./broken.wasm
";
    insta::assert_snapshot!(refuse(yaml, &plugins), @r#"
    plan::unknown-plugin
    × unknown plugin `lnt`
      2:11 `lnt`: no built-in plugin has this name
    help: a plugin with a similar name exists: `lint`

    plan::unknown-plugin
    × unknown plugin `frobnicate`
      3:11 `frobnicate`: no built-in plugin has this name
    help: built in: `exec`, `lint`, `notify`; others by path: `./plugin.wasm`

    plan::kind-mismatch
    × the manifest of plugin `mismatch` names the kind `task`, which its component does not export
      4:11 `./mismatch.wasm`: kinds that it exports: `lint`
    help: ask its author to make `kinds` of its manifest say what the component is

    plan::ambiguous-kind
    × plugin `several` is of several kinds: `lint`, `task`
      5:11 `./several.wasm`: a step cannot say yet which of them it means
    help: use a plugin of one kind

    plan::no-manifest
    × the component `./bare.wasm` carries no manifest
      6:11 `./bare.wasm`: neither a plugin with a manifest nor a WASI command
    help: embed one: sluice plugin pack ./bare.wasm plugin.yaml -o plugin.wasm

    plan::not-declared
    × plugin `imports` imports `sluice:host/exec`, which its manifest does not declare
      7:11 `./imports.wasm`: this component could run programs
    help: ask its author to declare `exec`, or use a version that does not import it

    plan::unknown-import
    × plugin `imports` imports `sluice:host/kubernetes@1.0.0`, which Sluice does not have
      7:11 `./imports.wasm`: this component cannot be linked
    help: Sluice provides WASI 0.2, `sluice:plugin@1` and `sluice:host@1`; look for another version of the plugin

    plan::unknown-import
    × plugin `imports` imports `sluice:host/secrets@2.0.0`, which Sluice does not have
      7:11 `./imports.wasm`: this component cannot be linked
    help: Sluice provides WASI 0.2, `sluice:plugin@1` and `sluice:host@1`; look for another version of the plugin

    plan::unknown-import
    × plugin `imports` imports `wasi:keyvalue/store@0.2.0`, which Sluice does not have
      7:11 `./imports.wasm`: this component cannot be linked
    help: Sluice provides WASI 0.2, `sluice:plugin@1` and `sluice:host@1`; look for another version of the plugin

    plan::unknown-import
    × plugin `imports` imports `wasi:io/streams@0.3.0`, which Sluice does not have
      7:11 `./imports.wasm`: this component cannot be linked
    help: Sluice provides WASI 0.2, `sluice:plugin@1` and `sluice:host@1`; look for another version of the plugin

    plan::unknown-import
    × plugin `imports` imports `env`, which Sluice does not have
      7:11 `./imports.wasm`: this component cannot be linked
    help: Sluice provides WASI 0.2, `sluice:plugin@1` and `sluice:host@1`; look for another version of the plugin

    plan::bad-manifest
    × the manifest of plugin `schema` declares a grant that cannot be read: `GET ${{ inputs.url }}`
      9:11 `./schema.wasm`: `inputs.url` is not known here; only `with` is
    help: tell its author

    plan::bad-manifest
    × the manifest of plugin `schema` has no valid schema of inputs
      9:11 `./schema.wasm`: at `/properties/a/type`: "strin" is not valid under any of the schemas listed in the 'anyOf' keyword
    help: tell its author

    plan::no-manifest
    × `./broken.wasm` is no component
      10:11 `./broken.wasm`: used here
    "#);
}

#[test]
fn inputs_that_do_not_fit() {
    let mut strict = plugin("./strict.wasm", &[]);
    strict.manifest.as_mut().unwrap().inputs["required"] = json!(["url"]);
    let plugins = plugins([plugin("./task.wasm", &[]), strict]);
    let yaml = "\
env:
  LIST: ${{ [1, 2] }}
steps:
  - uses: ./task.wasm
    with:
      pathss: []
      mode: quick
      paths:
        - src
        - 3
  - uses: ./task.wasm
    with:
      retry:
        times: 0
        tmes: 1
  - uses: ./strict.wasm
    with:
      unrelated: 1
";
    insta::assert_snapshot!(refuse(yaml, &plugins), @r#"
    plan::invalid-variable
    × the variable `LIST` is a list, which has no place in an environment
      2:9 `${{ [1, 2] }}`: this is a list
    help: give it text, a number or a boolean

    plan::unknown-input
    × unknown input `pathss` in step `step-1`
      6:7 `pathss`: not an input of `task`
    help: an input with a similar name exists: `paths`

    plan::invalid-input
    × input `mode` of step `step-1` must be one of `fast`, `slow`
      7:13 `quick`: not one of them

    plan::invalid-input
    × input `paths.1` of step `step-1` must be text
      10:11 `3`: this is an integer

    plan::invalid-input
    × input `retry.times` of step `step-2` must be at least 1
      14:16 `0`: too small

    plan::invalid-input
    × input `retry` of step `step-2` has no `tmes`
      15:9 `tmes`: more than is known

    plan::missing-input
    × step `step-3` does not set the input `url`
      16:11 `./strict.wasm`: `strict` requires `url`
    help: add it to the step:
        with:
          url: ...  # Where to send it

    plan::unknown-input
    × unknown input `unrelated` in step `step-3`
      18:7 `unrelated`: not an input of `strict`
    help: inputs of `strict`: `url`, `paths`, `mode`, `retry`
    "#);
    let yaml = "\
steps:
  - id: first
    uses: ./task.wasm
  - id: partly
    uses: ./strict.wasm
    with:
      mode: 7
      paht: x
      paths: ${{ steps.first.outputs.paths }}
";
    insta::assert_snapshot!(refuse(yaml, &plugins), @r#"
    plan::missing-input
    × step `partly` does not set the input `url`
      5:11 `./strict.wasm`: `strict` requires `url`
    help: add it to the step:
        with:
          url: ...  # Where to send it

    plan::invalid-input
    × input `mode` of step `partly` must be one of `fast`, `slow`
      7:13 `7`: not one of them

    plan::unknown-input
    × unknown input `paht` in step `partly`
      8:7 `paht`: not an input of `strict`
    help: inputs of `strict`: `url`, `paths`, `mode`, `retry`
    "#);
}

/// Each capability once: a step cannot grant what its plugin does not declare.
#[test]
fn more_than_is_declared() {
    let declared: &[(Capability, &[&str])] = &[
        (Capability::Files, &["read src"]),
        (Capability::Http, &["GET https://api.example.com/v1/*"]),
        (Capability::Exec, &["git"]),
        (Capability::Env, &["CI"]),
        (Capability::Secrets, &["TOKEN"]),
        (Capability::Artifacts, &["read"]),
    ];
    let plugins = plugins([plugin("./all.wasm", declared), plugin("./none.wasm", &[])]);
    let yaml = "\
steps:
  - uses: ./all.wasm
    grants:
      files: [\"read src/a\", \"write src\"]
      http: [\"POST https://api.example.com/v1/x\"]
      exec: [\"git\", \"sh\"]
      env: [\"HOME\"]
      secrets: [\"OTHER\"]
      artifacts: [\"write\"]
  - uses: ./none.wasm
    grants:
      exec: [\"git\"]
";
    insta::assert_snapshot!(refuse(yaml, &plugins), @r#"
    plan::grant-exceeds
    × step `step-1` grants `write src`, which is more than plugin `all` declares
      4:29 `"write src"`: not covered by what it declares
    help: for these inputs it declares `read src` of `files`; `grants` only narrow that

    plan::grant-exceeds
    × step `step-1` grants `POST https://api.example.com/v1/x`, which is more than plugin `all` declares
      5:14 `"POST https://api.example.com/v1/x"`: not covered by what it declares
    help: for these inputs it declares `GET https://api.example.com/v1/*` of `http`; `grants` only narrow that

    plan::grant-exceeds
    × step `step-1` grants `sh`, which is more than plugin `all` declares
      6:21 `"sh"`: not covered by what it declares
    help: for these inputs it declares `git` of `exec`; `grants` only narrow that

    plan::grant-exceeds
    × step `step-1` grants `HOME`, which is more than plugin `all` declares
      7:13 `"HOME"`: not covered by what it declares
    help: for these inputs it declares `CI` of `env`; `grants` only narrow that

    plan::grant-exceeds
    × step `step-1` grants `OTHER`, which is more than plugin `all` declares
      8:17 `"OTHER"`: not covered by what it declares
    help: for these inputs it declares `TOKEN` of `secrets`; `grants` only narrow that

    plan::grant-exceeds
    × step `step-1` grants `write`, which is more than plugin `all` declares
      9:19 `"write"`: not covered by what it declares
    help: for these inputs it declares `read` of `artifacts`; `grants` only narrow that

    plan::grant-exceeds
    × step `step-2` grants `git`, which is more than plugin `none` declares
      12:14 `"git"`: not covered by what it declares
    help: it declares no `exec` for these inputs; `grants` only narrow what a plugin declares
    "#);
}

#[test]
fn grants_that_follow_from_inputs() {
    let http: &[(Capability, &[&str])] = &[(Capability::Http, &["POST ${{ with.url }}"])];
    let files: &[(Capability, &[&str])] = &[(Capability::Files, &["read ${{ with.paths }}"])];
    let plugins = plugins([plugin("./send.wasm", http), plugin("./read.wasm", files)]);
    let yaml = "\
steps:
  - id: first
    uses: ./send.wasm
    with:
      url: ftp://files.example.com
  - uses: ./read.wasm
    with:
      paths: [src, ../secret]
  - id: late
    uses: ./send.wasm
    with:
      url: ${{ steps.first.outputs.url }}
";
    insta::assert_snapshot!(refuse(yaml, &plugins), @r#"
    plan::bad-grant
    × input `url` of step `first` leads to `POST ftp://files.example.com`, which cannot be granted as `http`
      5:12 `ftp://files.example.com`: `ftp://files.example.com` does not begin with `https://` or `http://`
    help: `send` asks for `http`: needed for the work

    plan::bad-grant
    × input `paths` of step `step-2` leads to `read ../secret`, which cannot be granted as `files`
      8:14 `[src, ../secret]`: `../secret` leads out of the workspace
    help: `read` asks for `files`: needed for the work

    plan::undecided-grant
    × what step `late` may touch with `http` would be known only when it runs
      12:12 `${{ steps.first.outputs.url }}`: this value decides it
    help: say in the step what it may touch at most:
        grants:
          http: ["POST https://api.example.com/v1/*"]
    "#);
}

#[test]
fn what_makes_no_sense() {
    let plugins = plugins([plugin("./task.wasm", &[])]);
    let yaml = "\
env:
  WHERE: ${{ git }}
steps:
  - uses: ./task.wasm
    fail-on: error
";
    insta::assert_snapshot!(refuse(yaml, &plugins), @r#"
    plan::invalid-variable
    × the variable `WHERE` is a mapping, which has no place in an environment
      2:10 `${{ git }}`: this is a mapping
    help: give it text, a number or a boolean

    plan::no-findings
    × step `step-1` has `fail-on`, but its plugin reports no findings
      4:11 `./task.wasm`: a plugin of the kind `task`
    help: remove `fail-on`
    "#);
}
