//! Every field of the language, once: the check for unknown fields and the schema for editors both read these tables.

/// The fields of one kind of mapping.
#[derive(Debug)]
pub struct Table {
    /// With an article: `a step`.
    pub of: &'static str,
    /// Key of the definition in the schema.
    pub name: &'static str,
    pub fields: &'static [Field],
}

#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub shape: Shape,
    pub description: &'static str,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    Text,
    Boolean,
    Duration,
    Size,
    Count,
    Number,
    /// Text or a list of text.
    Texts,
    /// A list of text, in which a text may stand twice.
    Words,
    /// A boolean or an expression.
    Condition,
    /// The same, with `${{ }}` around an expression.
    Flag,
    /// Any value.
    Any,
    Values,
    /// A list, or an expression that gives one.
    Items,
    /// Lists by name with `include` and `exclude`, or an expression.
    Matrix,
    /// A whole number, or a mapping with these fields.
    Retry(&'static Table),
    /// One of [`RETRY_ON`] or a mapping with these fields, or a list of them.
    Failures(&'static Table),
    /// A whole number from 1 to 255, or a list of them.
    ExitCodes,
    /// Text, or a mapping with these fields.
    TextOr(&'static Table),
    /// Any name -> a condition, or a mapping with these fields.
    Checklist(&'static Table),
    Choice(&'static [&'static str]),
    /// One of these texts or a list of them.
    Choices(&'static [&'static str]),
    /// `auto` or a number.
    Port,
    /// Name of a program -> versions.
    Versions,
    /// Name -> text, number or boolean.
    Variables,
    /// Name -> any value.
    Inputs,
    /// A list of names, or name -> name.
    Renamed,
    Grants,
    /// Name -> a mapping with these fields.
    Named(&'static Table),
    /// A list of mappings with these fields.
    List(&'static Table),
    One(&'static Table),
}

impl Table {
    pub fn names(&self) -> Vec<&'static str> {
        self.fields.iter().map(|field| field.name).collect()
    }

    /// All tables, in the order of the document.
    pub const ALL: [&'static Table; 19] = [
        &WORKFLOW,
        &DEFAULTS,
        &INPUT,
        &SECRET,
        &VAULT,
        &AWS,
        &JOB,
        &APPROVAL,
        &GATE,
        &SERVICE,
        &READY,
        &STEP,
        &WAIT_FOR,
        &RETRY,
        &SYMPTOM,
        &LIMITS,
        &REQUIRES,
        &RETENTION,
        &CONCURRENCY,
    ];
}

const fn field(name: &'static str, shape: Shape, description: &'static str) -> Field {
    Field { name, shape, description }
}

pub const INPUT_TYPES: [&str; 5] = ["string", "integer", "number", "boolean", "list"];
pub const FAIL_ON: [&str; 4] = ["info", "warning", "error", "never"];
/// In the order of [`sluice_model::grant::Toolchain::ALL`].
pub const TOOLCHAINS: [&str; 4] = ["rust", "node", "python", "go"];
/// In the order of [`crate::concurrency::WhenBusy::ALL`].
pub const WHEN_BUSY: [&str; 3] = ["wait", "cancel-running", "fail"];
/// In the order of [`crate::workflow::Retry::KINDS`].
pub const RETRY_ON: [&str; 6] = ["failed", "transient", "timed-out", "trap", "limit", "findings"];

const NAME: Field = field("name", Shape::Text, "What people read; of a job or a step it may hold `${{ }}`");
const ENV: Field =
    field("env", Shape::Variables, "Environment variables; inner ones replace outer ones of the same name");
const IF: Field =
    field("if", Shape::Condition, "Runs only if this CEL expression is true; `${{ }}` around it may be left out");
const SHELL: Field = field("shell", Shape::Text, "The shell of `run`");
const DIRECTORY: Field = field("working-directory", Shape::Text, "The folder in which `run` works");
const TOOLCHAIN: Field = field(
    "toolchain",
    Shape::Choices(&TOOLCHAINS),
    "Lets the programs of `run` use the tools and caches of a language outside of the workspace",
);
const NETWORK: Field = field(
    "network",
    Shape::Texts,
    "Where the programs of `run` may connect to: `HOST:PORT`; they have no network without",
);
const PATHS: Field = field(
    "paths",
    Shape::Texts,
    "What the programs of `run` may touch outside of the workspace: `read PATH`, `write PATH`, `connect SOCKET`",
);
const RETRY_FIELD: Field =
    field("retry", Shape::Retry(&RETRY), "Tries again after a failure: how often in all, or how in detail");
const STEP_DEFAULTS: Field = field("defaults", Shape::One(&DEFAULTS), "What steps get that do not say otherwise");
const CONTINUE: Field = field(
    "continue-on-error",
    Shape::Flag,
    "`true`, or an expression: a failure is reported and does not fail the run",
);

pub static WORKFLOW: Table = Table {
    of: "a workflow",
    name: "workflow",
    fields: &[
        NAME,
        field("inputs", Shape::Named(&INPUT), "Values that are given with `-i name=value`, read as `inputs.NAME`"),
        ENV,
        field(
            "secrets",
            Shape::Named(&SECRET),
            "Where the values of secrets come from; steps name a secret, not its value",
        ),
        field("requires", Shape::One(&REQUIRES), "What must be there before anything runs"),
        field("concurrency", Shape::TextOr(&CONCURRENCY), "Runs of the same group are never under way at once"),
        field("jobs", Shape::Named(&JOB), "Jobs run in parallel unless one needs another"),
        field("steps", Shape::List(&STEP), "Short form for a workflow of one job, which is called `main`"),
        field("outputs", Shape::Inputs, "What a job that calls this workflow gets, from `needs.JOB.outputs.NAME`"),
        STEP_DEFAULTS,
        field("timeout", Shape::Duration, "The longest that the run may take, without the steps at its end"),
        field("max-parallel", Shape::Count, "Jobs at once, if `-j` does not say; default: the number of processors"),
        field("fail-fast", Shape::Boolean, "`true`: the first job that fails ends the run"),
        field("on-success", Shape::List(&STEP), "Steps that run at the end if everything passed"),
        field("on-failure", Shape::List(&STEP), "Steps that run at the end if something failed"),
        field("on-cancel", Shape::List(&STEP), "Steps that run at the end if the run was cancelled"),
        field("finally", Shape::List(&STEP), "Steps that run at the very end, whatever happened"),
        field("retention", Shape::One(&RETENTION), "Which records of its runs are kept; all unless given"),
    ],
};

pub static DEFAULTS: Table = Table {
    of: "defaults",
    name: "defaults",
    fields: &[
        SHELL,
        DIRECTORY,
        TOOLCHAIN,
        NETWORK,
        PATHS,
        field("timeout", Shape::Duration, "The longest that a step may take"),
        RETRY_FIELD,
    ],
};

pub static RETRY: Table = Table {
    of: "a retry",
    name: "retry",
    fields: &[
        field("attempts", Shape::Count, "How often in all; 3 unless given"),
        field("delay", Shape::Duration, "What the second attempt waits; `1s` unless given"),
        field("factor", Shape::Number, "What each later delay is multiplied by; 2 unless given"),
        field("max-delay", Shape::Duration, "The longest delay; `1m` unless given"),
        field("jitter", Shape::Boolean, "`false`: delays are exact; otherwise they are spread by up to a quarter"),
        field(
            "on",
            Shape::Failures(&SYMPTOM),
            "Which failures: `failed`, `transient`, `timed-out`, `trap`, `limit`, `findings`, or what they look like",
        ),
    ],
};

pub static SYMPTOM: Table = Table {
    of: "a failure",
    name: "failure",
    fields: &[
        field("exit-code", Shape::ExitCodes, "Of the program that the step ran: one code or a list"),
        field("message", Shape::Texts, "In the text of the failure, or on standard error; upper or lower case"),
    ],
};

pub static CONCURRENCY: Table = Table {
    of: "`concurrency`",
    name: "concurrency",
    fields: &[
        field("group", Shape::Text, "What only one run at a time may touch: `deploy-shop-${{ inputs.env }}`"),
        field(
            "when-busy",
            Shape::Choice(&WHEN_BUSY),
            "What a run does while another one of its group is under way: `wait` unless given",
        ),
        field("wait-timeout", Shape::Duration, "The longest that a run waits; then it is refused"),
    ],
};

pub static RETENTION: Table = Table {
    of: "retention",
    name: "retention",
    fields: &[
        field("runs", Shape::Count, "The newest so many"),
        field("days", Shape::Count, "Those that began at most so many days ago"),
    ],
};

pub static INPUT: Table = Table {
    of: "an input",
    name: "input",
    fields: &[
        field("type", Shape::Choice(&INPUT_TYPES), "`string` unless given; a `list` is one of text"),
        field("description", Shape::Text, "What people read"),
        field("default", Shape::Any, "Value if none is given; without it the input is required"),
        field("options", Shape::Values, "The only values allowed"),
        field("required", Shape::Boolean, "`false` makes an input without a default null if it is not given"),
    ],
};

pub static SECRET: Table = Table {
    of: "a secret",
    name: "secret",
    fields: &[
        field("env", Shape::Text, "A variable of the environment that Sluice runs in"),
        field("file", Shape::Text, "A file that only you can read: absolute, `~/...`, or relative to the workspace"),
        field("prompt", Shape::Text, "What to ask for at the terminal, before the run"),
        field("command", Shape::Words, "A program and its arguments; its standard output is the value"),
        field("vault", Shape::One(&VAULT), "A field of a secret in Vault's key-value store, version 2"),
        field("aws", Shape::One(&AWS), "A secret of AWS Secrets Manager"),
    ],
};

pub static VAULT: Table = Table {
    of: "a secret in Vault",
    name: "vault",
    fields: &[
        field("path", Shape::Text, "As in Vault's HTTP API: `secret/data/app`"),
        field("key", Shape::Text, "The field of the secret"),
        field("address", Shape::Text, "URL of the server; VAULT_ADDR unless given"),
        field("namespace", Shape::Text, "VAULT_NAMESPACE unless given"),
    ],
};

pub static AWS: Table = Table {
    of: "a secret in AWS",
    name: "aws",
    fields: &[
        field("id", Shape::Text, "Name or ARN of the secret"),
        field("key", Shape::Text, "The field, if the secret is a JSON object; otherwise the whole text"),
        field("region", Shape::Text, "AWS_REGION, or that of your AWS configuration, unless given"),
    ],
};

pub static JOB: Table = Table {
    of: "a job",
    name: "job",
    fields: &[
        NAME,
        field(
            "needs",
            Shape::Texts,
            "Jobs that come before this one; their outputs are read as `needs.JOB.outputs.NAME`",
        ),
        IF,
        field(
            "paths",
            Shape::Texts,
            "Globs of the files that concern the job, `!` takes away; with `--affected` it runs only if one has changed",
        ),
        ENV,
        field("outputs", Shape::Inputs, "Values for jobs that need this one, usually from `steps.ID.outputs.NAME`"),
        field("timeout", Shape::Duration, "The longest that the job may take; with a matrix, each cell of it"),
        CONTINUE,
        field("matrix", Shape::Matrix, "Runs the job once for each combination, which is read as `matrix.NAME`"),
        field("max-parallel", Shape::Count, "Cells of the matrix at once"),
        field("fail-fast", Shape::Boolean, "`false`: a cell of the matrix that fails does not end the others"),
        field("approval", Shape::TextOr(&APPROVAL), "Asks a person before the job runs: the message, or how in detail"),
        field("checklist", Shape::Checklist(&GATE), "Gates that must all hold before the job runs"),
        STEP_DEFAULTS,
        field("services", Shape::Named(&SERVICE), "Programs that run beside the steps, started before them"),
        field("steps", Shape::List(&STEP), "Run one after the other"),
        field("uses", Shape::Text, "Instead of steps: the file of another workflow, relative to the workspace"),
        field("with", Shape::Inputs, "Inputs of the workflow that `uses` names"),
        field(
            "secrets",
            Shape::Renamed,
            "Secrets for that workflow, which gets no others: a list, or THEIR_NAME: OURS",
        ),
    ],
};

pub static APPROVAL: Table = Table {
    of: "an approval",
    name: "approval",
    fields: &[
        field("message", Shape::Text, "What people are asked"),
        field("by", Shape::Texts, "Who may answer, by user name of the system; everybody unless given"),
        field("not-self", Shape::Boolean, "`true`: who started the run may not answer"),
        field("timeout", Shape::Duration, "How long after the question silence means no; for ever unless given"),
    ],
};

pub static GATE: Table = Table {
    of: "a gate",
    name: "gate",
    fields: &[
        field("check", Shape::Condition, "An expression that must be true; `${{ }}` around it may be left out"),
        field("attest", Shape::Text, "A question to the person who approves"),
        field("message", Shape::Text, "What people read beside a check"),
    ],
};

const PORT: Field =
    field("port", Shape::Port, "`auto` or a number: `services.NAME.port` in expressions, PORT for the program");
const READY_FIELD: Field = field("ready", Shape::One(&READY), "When the next step may start; at once unless given");
const STOP_TIMEOUT: Field =
    field("stop-timeout", Shape::Duration, "How long it has to end when it is asked to; `5s` unless given");

pub static SERVICE: Table = Table {
    of: "a service",
    name: "service",
    fields: &[
        NAME,
        field("uses", Shape::Text, "The plugin: a built-in name, or the path of a component"),
        field("with", Shape::Inputs, "Inputs of the plugin"),
        field("run", Shape::Text, "A script that runs until it is stopped; short for `uses: exec`"),
        SHELL,
        DIRECTORY,
        TOOLCHAIN,
        NETWORK,
        PATHS,
        ENV,
        PORT,
        READY_FIELD,
        STOP_TIMEOUT,
        field("grants", Shape::Grants, "Narrows what the plugin may touch"),
        field("limits", Shape::One(&LIMITS), "Changes the limits of the sandbox"),
    ],
};

pub static READY: Table = Table {
    of: "`ready`",
    name: "ready",
    fields: &[
        field("tcp", Shape::Text, "HOST:PORT that accepts connections"),
        field("http", Shape::Text, "URL that answers with success"),
        field("exec", Shape::Text, "Command that ends with 0"),
        field("network", Shape::Texts, "Where `exec` may connect to beside the step's own port: `HOST:PORT`"),
        field("log", Shape::Text, "Regular expression that a line of its output matches"),
        field("timeout", Shape::Duration, "How long it may take; `1m` unless given"),
        field("interval", Shape::Duration, "How long to wait between two tries"),
    ],
};

pub static STEP: Table = Table {
    of: "a step",
    name: "step",
    fields: &[
        field("id", Shape::Text, "Name in expressions: `steps.ID.outputs.NAME`"),
        NAME,
        field("uses", Shape::Text, "The plugin: a built-in name, or the path of a component"),
        field("with", Shape::Inputs, "Inputs of the plugin"),
        field("wait-for", Shape::One(&WAIT_FOR), "What to wait for; short for `uses: wait-for` with these inputs"),
        field("run", Shape::Text, "A script; short for `uses: exec` with the input `run`"),
        SHELL,
        DIRECTORY,
        TOOLCHAIN,
        NETWORK,
        PATHS,
        IF,
        ENV,
        field("timeout", Shape::Duration, "The longest that each attempt may take"),
        RETRY_FIELD,
        field("for-each", Shape::Items, "Runs the step once for each item, which is read as `item`"),
        field("max-parallel", Shape::Count, "Items at once; 1 unless given"),
        field("fail-fast", Shape::Boolean, "`false`: an item that fails does not end the others"),
        CONTINUE,
        field("fail-on", Shape::Choice(&FAIL_ON), "The least severity of findings that fails the step"),
        field("grants", Shape::Grants, "Narrows what the plugin may touch"),
        field("limits", Shape::One(&LIMITS), "Changes the limits of the sandbox"),
        field("background", Shape::Boolean, "`true`: the steps after it run beside it; it is stopped after the last"),
        PORT,
        READY_FIELD,
        STOP_TIMEOUT,
    ],
};

pub static WAIT_FOR: Table = Table {
    of: "`wait-for`",
    name: "wait-for",
    fields: &[
        field("tcp", Shape::Text, "A server that takes connections: `HOST:PORT`"),
        field("http", Shape::Text, "A URL that answers a GET"),
        field("status", Shape::Any, "The status that `http` waits for, or a list; any from 200 to 399 unless given"),
        field("exec", Shape::Text, "A command for the shell that has to exit with code 0"),
        field("network", Shape::Texts, "Where `exec` may connect to: `HOST:PORT`; it has no network without"),
        field("file", Shape::Text, "A file or folder of the workspace"),
        field("interval", Shape::Duration, "The pause between two attempts; `200ms` unless given"),
        field("timeout", Shape::Duration, "The longest that it waits; `1m` unless given"),
    ],
};

pub static LIMITS: Table = Table {
    of: "limits",
    name: "limits",
    fields: &[
        field("memory", Shape::Size, "Memory of the component"),
        field("output", Shape::Size, "Everything the step says: log, standard output, findings, outputs"),
        field("handles", Shape::Count, "Open files, streams and other handles"),
        field("disk", Shape::Size, "Everything that the plugin writes to files, and the largest file of a program"),
        field("table-elements", Shape::Count, "Elements of all WebAssembly tables together"),
    ],
};

pub const USERS: [&str; 2] = ["non-root", "root"];
pub const SYSTEMS: [&str; 2] = ["linux", "macos"];

pub static REQUIRES: Table = Table {
    of: "`requires`",
    name: "requires",
    fields: &[
        field("commands", Shape::Versions, "Programs on the search path, each with its versions: `>=2.30`, `^20`, `*`"),
        field("disk", Shape::Size, "Free space where the workspace is"),
        field("user", Shape::Choice(&USERS), "Who runs Sluice"),
        field("os", Shape::Choices(&SYSTEMS), "Operating systems, any of them"),
        field("sluice", Shape::Text, "Versions of Sluice: `>=0.1`"),
    ],
};
