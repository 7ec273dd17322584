//! Codes of problems in plans.

use sluice_model::problem::Explanation;

pub const UNKNOWN_PLUGIN: &str = "plan::unknown-plugin";
pub const NO_MANIFEST: &str = "plan::no-manifest";
pub const BAD_MANIFEST: &str = "plan::bad-manifest";
pub const KIND_MISMATCH: &str = "plan::kind-mismatch";
pub const AMBIGUOUS_KIND: &str = "plan::ambiguous-kind";
pub const UNKNOWN_IMPORT: &str = "plan::unknown-import";
pub const NOT_DECLARED: &str = "plan::not-declared";
pub const UNKNOWN_INPUT: &str = "plan::unknown-input";
pub const MISSING_INPUT: &str = "plan::missing-input";
pub const INVALID_INPUT: &str = "plan::invalid-input";
pub const INVALID_VARIABLE: &str = "plan::invalid-variable";
pub const BAD_GRANT: &str = "plan::bad-grant";
pub const GRANT_EXCEEDS: &str = "plan::grant-exceeds";
pub const REVEAL: &str = "plan::reveal-not-granted";
pub const UNDECIDED_GRANT: &str = "plan::undecided-grant";
pub const NO_FINDINGS: &str = "plan::no-findings";
pub const NOT_IN_BACKGROUND: &str = "plan::not-in-background";
pub const POLICY: &str = "plan::policy";
pub const UNMET: &str = "plan::unmet-requirement";

pub const MATRIX: &str = "plan::matrix";
pub const ITEMS: &str = "plan::items";
pub const SECRET_NOT_PASSED: &str = "plan::secret-not-passed";
pub const GROUP: &str = "plan::group";
pub const UNKNOWN_JOB: &str = "plan::unknown-job";
pub const UNKNOWN_STEP: &str = "plan::unknown-step";
pub const NOT_ALONE: &str = "plan::not-alone";
pub const NOT_LOCKED: &str = "plan::not-locked";
pub const MORE_AUTHORITY: &str = "plan::more-authority";
pub const LOCK_DIGEST: &str = "plan::lock-digest";
pub const LOCK_MISMATCH: &str = "plan::lock-mismatch";
pub const LOCK_UNUSED: &str = "plan::lock-unused";

/// What `sluice explain` tells of them.
pub const CODES: &[Explanation] = &[
    Explanation {
        code: UNKNOWN_PLUGIN,
        title: "a step uses a plugin that does not exist",
        text: "`uses` is the name of a built-in plugin, or the path of a component:\n\n    - uses: lint\n    - uses: ./vendor/check.wasm\n\n`sluice plugin list` prints the built-in ones.",
    },
    Explanation {
        code: NO_MANIFEST,
        title: "a component carries no manifest",
        text: "A plugin says in its manifest what it is and what it needs. The component that this step uses has none, and it is\nno plain WASI command (`wasi:cli/run`) either. The Rust SDK embeds `plugin.yaml` when it compiles; for other\nlanguages:\n\n    sluice plugin pack component.wasm plugin.yaml -o plugin.wasm",
    },
    Explanation {
        code: BAD_MANIFEST,
        title: "a manifest holds something that cannot be used",
        text: "The manifest can be read, but its schema of inputs is not valid JSON Schema (draft 2020-12), or one of its grants is\nno valid expression. Grants may name inputs through `with`, and nothing else:\n\n    capabilities:\n      - http: [\"POST ${{ with.url }}\"]\n        reason: delivers the message",
    },
    Explanation {
        code: KIND_MISMATCH,
        title: "a manifest names a kind that the component does not export",
        text: "The kinds in the manifest say how steps of the plugin are run and shown, so they must be what the component really\nexports. With `kinds: [scan]`, the component exports `sluice:plugin/scan`.",
    },
    Explanation {
        code: AMBIGUOUS_KIND,
        title: "a plugin is of several kinds",
        text: "A component may export several kinds, but a step cannot say yet which one it means. Use a plugin of one kind.",
    },
    Explanation {
        code: UNKNOWN_IMPORT,
        title: "a component imports something that Sluice does not have",
        text: "A component runs only if everything that it imports is there: WASI 0.2 (`cli`, `clocks`, `filesystem`, `http`, `io`,\n`random`, `sockets`), `sluice:plugin/types@1` and `sluice:host@1`. What else it imports may belong to a newer version\nof Sluice or to another host. `sluice plugin show FILE` prints all imports.",
    },
    Explanation {
        code: NOT_DECLARED,
        title: "a component imports a capability that its manifest does not declare",
        text: "A plugin declares every capability that it could use, with a reason, so that people can tell from the manifest what\nit can do. A component that imports more is refused before anything runs. The plugin's author declares it:\n\n    capabilities:\n      - exec: [\"git\"]\n        reason: reads the history",
    },
    Explanation {
        code: UNKNOWN_INPUT,
        title: "a step sets an input that its plugin does not have",
        text: "Unknown inputs are refused, because a misspelled one would silently do nothing. `sluice plugin show NAME` prints the\ninputs of a plugin. For a plain WASI command the only one is `args`:\n\n    - uses: ./tool.wasm\n      with:\n        args: [\"--check\", \"src\"]",
    },
    Explanation {
        code: MISSING_INPUT,
        title: "a step does not set an input that its plugin requires",
        text: "The manifest requires the input and gives no default. `sluice plugin show NAME` prints what it means.\n\n    - uses: notify\n      with:\n        url: https://hooks.example.com/T000",
    },
    Explanation {
        code: INVALID_INPUT,
        title: "an input does not fit what its plugin accepts",
        text: "Inputs are checked against the JSON Schema in the plugin's manifest before anything runs, as far as they are known\nthen; the rest is checked when the step starts. `sluice plugin show NAME` prints the types.",
    },
    Explanation {
        code: INVALID_VARIABLE,
        title: "a variable has a value that no environment can hold",
        text: "Variables are text; numbers and booleans become text. Lists, mappings and null do not:\n\n    env:\n      LEVEL: 3\n      NAMES: ${{ inputs.names.join(\",\") }}",
    },
    Explanation {
        code: BAD_GRANT,
        title: "something cannot be granted",
        text: "A grant is written like this, and an input that a plugin's grants depend on must lead to one:\n\n    grants:\n      files: [\"read src\", \"write dist\"]\n      http: [\"GET https://api.example.com/v1/*\"]\n      exec: [\"git\"]\n      env: [\"CI\"]\n      secrets: [\"API_TOKEN\", \"KEY @ https://api.example.com\"]\n      artifacts: [\"read\", \"write\"]\n\nPaths are relative to the workspace and stay inside it.",
    },
    Explanation {
        code: GRANT_EXCEEDS,
        title: "a step grants more than its plugin declares",
        text: "What a step may touch is what its plugin declares and its `grants` allow, so `grants` can only narrow. A capability\nthat `grants` does not name keeps what is declared; an empty list takes it away:\n\n    - uses: lint\n      grants:\n        files: [\"read src\"]\n        http: []",
    },
    Explanation {
        code: REVEAL,
        title: "a plugin wants to see the value of a secret",
        text: "Plugins use secrets without seeing them. One that cannot do without the value declares that, with a reason. The\ndeclaration alone reveals nothing: each step that uses the plugin has to grant it in so many words:\n\n    - uses: ./sign.wasm\n      grants:\n        secrets: [\"SIGNING_KEY reveal\"]\n\nA plugin that has seen a value can do with it what it likes, as far as its other grants let it.",
    },
    Explanation {
        code: UNDECIDED_GRANT,
        title: "what a step may touch would be known only when it runs",
        text: "The plugin's grants depend on an input, and the input depends on the run, for example on the output of an earlier\nstep. So that the plan still says what may happen, the step states the most that it may touch:\n\n    - uses: ./fetch.wasm\n      with:\n        url: ${{ steps.find.outputs.url }}\n      grants:\n        http: [\"GET https://api.example.com/*\"]\n\nWhen the step starts, it gets what both sides allow.",
    },
    Explanation {
        code: NO_FINDINGS,
        title: "`fail-on` on a step that reports no findings",
        text: "`fail-on` is the least severity of findings that fails a step: `info`, `warning`, `error` or `never`. Only plugins of\nthe kinds `lint` and `scan` report findings.",
    },
    Explanation {
        code: MATRIX,
        title: "a matrix cannot be used",
        text: "The values of a matrix came from an expression and have no shape that a matrix can have: a mapping of lists with\n`include` and `exclude`, or a list of mappings, which are the cells. There are at most 1000 cells.",
    },
    Explanation {
        code: ITEMS,
        title: "`for-each` has no list of items",
        text: "The value of `for-each` is a list of at most 1000 items, written out or from an expression:\n\n    - for-each: ${{ inputs.regions }}\n      run: deploy ${{ item }}",
    },
    Explanation {
        code: NOT_IN_BACKGROUND,
        title: "a plugin that cannot run in the background",
        text: "A service, or a step with `background: true`, runs until the other steps of its job have ended. That is for plugins\nof the kind `task`, such as `exec`, and for plain commands; all other kinds do something and are done:\n\n    services:\n      web:\n        run: exec python3 -m http.server \"$PORT\"\n        port: auto",
    },
    Explanation {
        code: GROUP,
        title: "a group of `concurrency` that cannot be used",
        text: "The name of the group came from an expression and is no name: null, a list, a mapping, empty, or longer than 200\ncharacters. It names what only one run at a time may touch:\n\n    concurrency: deploy-shop-${{ inputs.env }}",
    },
    Explanation {
        code: POLICY,
        title: "the policy does not permit it",
        text: "Policies say what steps may have at most: `/etc/sluice/policy.yaml` of the machine, the file that SLUICE_POLICY names\nand `~/.config/sluice/policy.yaml` of the organisation, `sluice-policy.yaml` of the repository. All that exist apply. A\nstep that would get more is refused before anything runs; nothing is taken from it silently. The causes name the rules\nthat decided. Narrow the step:\n\n    - uses: notify\n      grants:\n        http: [\"POST https://hooks.example.com/ci\"]\n\nor, if it should have that, widen the rule where it stands. `sluice policy explain` shows every decision.",
    },
    Explanation {
        code: UNMET,
        title: "this machine lacks what the workflow requires",
        text: "`requires` names what must be there before anything runs. Each program is looked up on the search path, outside the\nworkspace, and asked with `--version`; the first thing in its answer that looks like a version counts, without anything\nbehind its numbers:\n\n    requires:\n      commands: {git: \">=2.30\", node: \"^20\", jq: \"*\"}\n      disk: 2GiB\n      user: non-root\n      os: [linux, macos]\n      sluice: \">=0.1\"\n\nInstall what is missing, or change what is required.",
    },
    Explanation {
        code: SECRET_NOT_PASSED,
        title: "a called workflow wants a secret that it was not passed",
        text: "A workflow that a job calls has the secrets that the job passes, and those that it has a source for itself. It never\ntakes one from the environment or from its caller by name. Pass it, under its own name or another:\n\n    jobs:\n      release:\n        uses: ./ci/release.yaml\n        secrets: {TOKEN: DEPLOY_TOKEN}     # theirs: ours",
    },
    Explanation {
        code: UNKNOWN_JOB,
        title: "a job was asked for that the workflow does not have",
        text: "`--job` names a job by its key below `jobs`; a workflow that has only `steps` has the job `main`. `sluice plan`\nprints all names.\n\n    sluice run --job build --job lint",
    },
    Explanation {
        code: UNKNOWN_STEP,
        title: "a step was asked for that the workflow does not have",
        text: "`--step` names a step by its job and its id; a step without an `id` is `step-N`, counted from 1:\n\n    sluice run --step build/step-1\n\nSteps of `finally` come after jobs and do not run alone.",
    },
    Explanation {
        code: NOT_ALONE,
        title: "a step cannot run alone, because it reads a result of another",
        text: "`--step` runs one step and nothing else, so it can read `inputs`, `env`, `git` and `run`, but neither `steps` nor\n`needs`. Run the job, with all that it needs:\n\n    sluice run --job deploy",
    },
    Explanation {
        code: NOT_LOCKED,
        title: "a step uses a plugin from outside that nobody has accepted",
        text: "A tag can be moved, and an address can serve other bytes tomorrow. So a plugin from outside stands in `sluice.lock`\nwith its digest and what it may ask for, or the step names the digest itself:\n\n    - uses: oci://registry.example.org/acme/check:1.2@sha256:...\n\nTo see what a plugin asks for, and to accept it:\n\n    sluice plugin add oci://registry.example.org/acme/check:1.2\n    sluice plugin add oci://registry.example.org/acme/check:1.2 --accept",
    },
    Explanation {
        code: MORE_AUTHORITY,
        title: "a plugin asks for more than was accepted",
        text: "`sluice.lock` keeps what each plugin from outside declared when it was accepted. This version declares a capability\nmore, or a wider grant of one; the message lists each with the author's reason. Nothing runs until somebody accepts it:\n\n    sluice plugin update --accept NAME\n\nA version that declares the same or less needs no such answer. A grant that depends on inputs counts as the same only if\nit is spelled the same.",
    },
    Explanation {
        code: LOCK_DIGEST,
        title: "a plugin has other bytes than the lock says",
        text: "The file was changed after it was locked. If that was on purpose:\n\n    sluice plugin update ./path/of/plugin.wasm",
    },
    Explanation {
        code: LOCK_MISMATCH,
        title: "the lock says of a plugin what its bytes do not say",
        text: "The digest in `sluice.lock` is the one of the bytes, but the name, version, kinds or capabilities beside it are not what\nthe bytes declare. Sluice never writes that, so the lock was edited. Restore it from version control.",
    },
    Explanation {
        code: LOCK_UNUSED,
        title: "the lock has a plugin that no workflow uses",
        text: "What is accepted and not used is authority that waits for somebody to use it. `sluice lock` drops such entries, and\n`sluice lock --check` fails for them.",
    },
];
