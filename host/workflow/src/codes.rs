//! Every code of this crate, with what `sluice explain CODE` tells.

use sluice_model::problem::Explanation;

macro_rules! codes {
    ($($constant:ident = $code:literal: $title:literal, $text:literal;)*) => {
        $(pub const $constant: &str = $code;)*

        pub const CODES: &[Explanation] = &[$(Explanation { code: $code, title: $title, text: $text }),*];
    };
}

codes! {
    YAML = "workflow::yaml": "the workflow is not valid YAML", "\
A workflow is one YAML 1.2 document. Keys are text and stand once in each mapping, numbers are finite, tags of your own
are not supported, and aliases may copy at most 20000 values. The label shows where reading stopped.

Bad:
    steps:
    - name: say: hello

Good:
    steps:
    - name: \"say: hello\"";
    TOO_LARGE = "workflow::too-large": "the workflow is too large", "\
A workflow has at most 1 MiB of text. Split it into several, or move long scripts into files of the repository.";
    EMPTY = "workflow::empty": "the file is empty", "\
There is nothing but space and comments. The smallest workflow:

    steps:
    - run: echo hello";
    UNKNOWN_FIELD = "workflow::unknown-field": "a field that does not exist", "\
Unknown fields are errors, because a misspelled one would silently do nothing.

Bad:
    steps:
    - run: make
      tiemout: 5m

Good:
    steps:
    - run: make
      timeout: 5m";
    MISSING_FIELD = "workflow::missing-field": "something required is missing", "\
A workflow has `jobs` or `steps`, a job has `steps`, and a step has `uses` or `run`.

Bad:
    steps:
    - name: build

Good:
    steps:
    - name: build
      run: make";
    GLOB = "workflow::glob": "something that is no glob of the workspace", "\
Globs name files of the workspace: `*` stays within a folder, `**` goes into folders, `[ab]` and `{a,b}` choose, `docs/` is all
that is below that folder, and `!` takes files away again. They do not begin with `/`, and are written out, because the files are
looked at before anything runs.

Good:
    paths: [\"src/**\", \"**/*.md\", \"!docs/\"]
    key: ${{ hash.files(\"**/Cargo.lock\") }}";
    REQUIREMENT = "workflow::requirement": "a requirement that cannot be read", "\
Versions are comparisons, all of which must hold; a version alone means `^`, and `*` that any will do.

Good:
    requires:
      commands: {git: \">=2.30\", node: \"^20\", make: \"*\"}
      sluice: \">=0.1, <2\"";
    WRONG_TYPE = "workflow::wrong-type": "a value has the wrong type", "\
The label says what is expected. YAML 1.2 reads `yes` and `on` as text; the booleans are `true` and `false`.

Bad:
    continue-on-error: yes

Good:
    continue-on-error: true";
    CONFLICT = "workflow::conflict": "two fields that exclude each other", "\
A step either `uses` a plugin or `run`s a script, and a workflow has either `jobs` or, as the short form of one job,
`steps`. `shell` belongs to `run`, `ready` to a service or a step with `background`. A step in the background runs as long
as its job, so it has no `timeout`, `retry` or `for-each`.

Bad:
    - uses: lint
      run: make

Good:
    - uses: lint
    - run: make";
    MATRIX = "workflow::matrix": "a matrix that cannot be used", "\
A matrix has lists by name; the job runs once for each combination of their values, which expressions read as
`matrix.NAME`. `include` and `exclude` are lists of mappings. There are at most 1000 cells.

    matrix:
      os: [debian, alpine]
      version: [\"1.94\", \"1.95\"]
      exclude: [{os: alpine, version: \"1.94\"}]
      include: [{os: debian, version: nightly}]";
    NAME = "workflow::name": "a name that is not allowed", "\
Names of jobs, inputs and outputs and ids of steps begin with a letter or `_`, go on with letters, digits, `_` and `-`,
and have at most 64 characters. `finally`, `on-success`,
`on-failure` and `on-cancel` are the names of steps that run at the end; ids like `step-2` are given to
steps that have none. Names of environment variables have no `-`.

Bad:
    jobs:
      build it: ...

Good:
    jobs:
      build-it: ...";
    PORT = "workflow::port": "a port that is none", "\
A service listens on a port that Sluice finds (`auto`) or on a fixed one, a number from 1 to 65535. With `auto` the same
job can run many times at once.

    services:
      db:
        run: exec ./start-database --port \"$PORT\"
        port: auto";
    PATTERN = "workflow::pattern": "a regular expression that cannot be read", "\
`log` of `ready` is a regular expression that is looked for in each line of the output. `.`, `(`, `[`, `+`, `*` and `?`
have a meaning of their own; write `\\.` for a dot.";
    DUPLICATE_ID = "workflow::duplicate-id": "two steps of a job have the same id", "\
Expressions find a step by its id, so ids are unique within a job.

Bad:
    - {id: build, run: make a}
    - {id: build, run: make b}

Good:
    - {id: build-a, run: make a}
    - {id: build-b, run: make b}";
    EMPTY_LIST = "workflow::nothing-to-do": "there is nothing to do", "\
`jobs`, `steps`, `finally` and lists of a `matrix` have at least one entry where they are given.";
    UNKNOWN_JOB = "workflow::unknown-job": "`needs` names a job that does not exist", "\
Jobs are named by their key below `jobs`, not by their `name`.

Bad:
    jobs:
      build: ...
      test: {needs: biuld, ...}

Good:
    jobs:
      build: ...
      test: {needs: build, ...}";
    CYCLE = "workflow::cycle": "jobs wait for each other", "\
If `a` needs `b` and `b` needs `a`, neither could ever begin. Remove one of the `needs` of the circle that the message
shows.";
    PLUGIN = "workflow::plugin": "a plugin reference that cannot be read", "\
`uses` names a built-in plugin (`lint`) or the path of a component, relative to the workspace (`./vendor/x.wasm`).
Expressions are not possible here: the plan must know every plugin before anything runs.";
    CAPABILITY = "workflow::unknown-capability": "a capability that does not exist", "\
`grants` names capabilities: `files`, `http`, `exec`, `env`, `secrets`, `artifacts`.

Bad:
    grants:
      network: [\"GET https://example.com\"]

Good:
    grants:
      http: [\"GET https://example.com\"]";
    GRANT = "workflow::grant": "a grant that cannot be read", "\
Spellings of grants:

    files: [\"read src\", \"write dist\"]
    http: [\"GET https://api.example.com/v1/*\"]
    exec: [git]
    env: [CI]
    secrets: [SLACK_TOKEN]
    artifacts: [read, write]

Expressions are not possible in `grants`: what a step may touch is read, not computed.";
    GROUP = "workflow::group": "a group of `concurrency` that cannot be used", "\
Runs of one group are never under way at once, so the name of the group is known before the run. It is text, and reads
`inputs`, `env` of the workflow, `git` and `run.workflow`, but nothing that differs from run to run:

    concurrency: deploy-shop-${{ inputs.env }}
    concurrency: {group: deploy-shop, when-busy: wait, wait-timeout: 30m}";
    SECRET = "workflow::secret": "a source of a secret that cannot be used", "\
`secrets` says where the value of each secret comes from, with one source for each:

    secrets:
      API_TOKEN: {env: API_TOKEN_PROD}
      PASSWORD: {file: ~/.config/app/password}
      DEPLOY_KEY: {prompt: \"Deploy key\"}
      OTHER: {command: [pass, show, deploy]}
      VAULT_TOKEN: {vault: {path: secret/data/app, key: token}}
      AWS_PASSWORD: {aws: {id: prod/app, key: password}}

Expressions are not possible here: where secrets come from is read, not computed. To choose by an input, declare both
secrets and let the step name one: `secret-env: {TOKEN: \"${{ inputs.stage }}_TOKEN\"}`. Only secrets that a step is
granted are fetched.";
    DURATION = "workflow::duration": "a duration that cannot be read", "\
Durations have whole numbers with units, the larger first: `1h30m`, `10m`, `90s`, `500ms`; at most a week.";
    SIZE = "workflow::size": "a size that cannot be read", "\
Sizes have a whole number and a unit: `64MiB`, `500kB`, `1GiB`; at most 64GiB.";
    COUNT = "workflow::count": "a number that is not possible here", "\
Limits on handles and table elements are whole numbers above zero.";
    CHOICE = "workflow::choice": "a value that is not among the possible ones", "\
The help lists what is possible: types of inputs (`string`, `integer`, `number`, `boolean`, `list`), values of `fail-on`
(`info`, `warning`, `error`, `never`).";
    DEFAULT = "workflow::default": "a default or option that does not fit its input", "\
A default has the input's type and is among its options, if it has any; options have the input's type.

Bad:
    inputs:
      replicas: {type: integer, default: \"3\"}

Good:
    inputs:
      replicas: {type: integer, default: 3}";
    EXPRESSION_SYNTAX = "workflow::expression-syntax": "an expression that cannot be read", "\
Between `${{` and `}}` stands one expression of the Common Expression Language (https://cel.dev).

Bad:
    if: inputs.mode = \"fast\"

Good:
    if: inputs.mode == \"fast\"

To write the marks themselves as text: ${{ '${{' }}";
    UNKNOWN_NAME = "workflow::unknown-name": "an expression reads something that does not exist", "\
Expressions see `inputs`, `env`, `needs`, `steps`, `git` and `run`. Inputs, variables, jobs, outputs and ids must have
been declared.

A name with `-` needs brackets, because `a-b` means `a` minus `b`:

    ${{ steps[\"build-app\"].outputs.digest }}";
    NOT_AVAILABLE = "workflow::not-available": "an expression reads something that is not there yet", "\
`steps` shows the earlier steps of the same job; in the conditions and variables of a job there are none yet. `services`
shows the services of the same job, and is not there in the job's own `if` and `matrix`. `needs`
shows the jobs that this job needs, and in `finally` every job. The variables of one `env` see those of outer levels
only.";
    UNKNOWN_FUNCTION = "workflow::unknown-function": "an expression calls a function that does not exist", "\
Functions: `size`, `contains`, `startsWith`, `endsWith`, `matches`, `join`, `string`, `int`, `uint`, `double`, `bool`,
`bytes`, `dyn`, `type`, and the macros `has`, `all`, `exists`, `exists_one`, `map`, `filter`.

    ${{ inputs.regions.join(\", \") }}
    if: inputs.regions.exists(region, region.startsWith(\"eu-\"))";
    TYPE_MISMATCH = "workflow::type-mismatch": "an expression combines values of types that do not fit", "\
Text and numbers are different: `\"1\" == 1` is always false. Convert one of them.

Bad:
    if: inputs.replicas == \"3\"

Good:
    if: inputs.replicas == 3";
    CONDITION = "workflow::condition": "a condition that is no boolean", "\
`if` is one CEL expression with the value `true` or `false`. Text is never a condition.

Bad:
    if: inputs.environment
    if: ${{ inputs.a }} && ${{ inputs.b }}

Good:
    if: inputs.environment != \"\"
    if: inputs.a && inputs.b";
    WAIT_FOR = "workflow::wait-for": "something that cannot be waited for", "\
`tcp` is a host and a port, `http` a URL, `file` a path within the workspace, and `status` a number from 100 to 599 or a
list of them.

Bad:
    - wait-for: {tcp: localhost}

Good:
    - wait-for: {tcp: \"localhost:5432\"}
    - wait-for: {http: \"http://localhost:8080/health\", status: 200}";
    EXPRESSION = "workflow::expression": "an expression has no value", "\
The expression could be read but not evaluated: something it reads is not there, an operator does not work on these
types, or a list or mapping stands inside text. `has(a.b)` asks whether something is there; `list.join(\", \")` makes
text of a list.";
    UNKNOWN_INPUT = "workflow::unknown-input": "an input that the workflow does not declare", "\
`-i name=value`, or `with` of a job that calls the workflow, gives a value to an input that is declared below `inputs` of
the workflow.";
    INVALID_INPUT = "workflow::invalid-input": "a value that does not fit its input", "\
`-i name=value` reads the value by the input's type: `true` or `false` for a boolean, digits for an integer, and commas
between the items of a list. If the input has `options`, the value is one of them. `with` of a job that calls the workflow
gives values of the input's type as they are; text is not read as a number there:

    with: {replicas: \"${{ int(needs.count.outputs.replicas) }}\"}";
    MISSING_INPUT = "workflow::missing-input": "a required input has no value", "\
An input without a default must be given: `-i name=value`, or `with` of a job that calls the workflow.";
    CALL = "workflow::call": "a workflow that cannot be called", "\
`uses` of a job names the file of another workflow, relative to the workspace, and no file outside it:

    jobs:
      release:
        uses: ./ci/release.yaml
        with: {version: 1.2.3}
        secrets: [DEPLOY_TOKEN]

Plugins are used by steps: `steps: [{uses: lint}]`.";
    CALL_CYCLE = "workflow::call-cycle": "workflows that call each other in a circle", "\
A workflow that calls itself, directly or through others, would never end. To do something several times, use `matrix` of a
job, `for-each` of a step, or `retry`.";
    CALL_DEPTH = "workflow::call-depth": "calls that are nested too deep, or make too many jobs", "\
Calls are nested at most 8 deep, and make at most 10000 jobs of one workflow, so that a plan can still be read.";
}
