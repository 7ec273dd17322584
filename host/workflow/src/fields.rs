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
    /// Text or a list of text.
    Texts,
    /// A boolean or an expression.
    Condition,
    /// Any value.
    Any,
    Values,
    Choice(&'static [&'static str]),
    /// Name -> text, number or boolean.
    Variables,
    /// Name -> any value.
    Inputs,
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
    pub const ALL: [&'static Table; 6] = [&WORKFLOW, &INPUT, &JOB, &STEP, &LIMITS, &RETENTION];
}

const fn field(name: &'static str, shape: Shape, description: &'static str) -> Field {
    Field { name, shape, description }
}

pub const INPUT_TYPES: [&str; 5] = ["string", "integer", "number", "boolean", "list"];
pub const FAIL_ON: [&str; 4] = ["info", "warning", "error", "never"];

const NAME: Field = field("name", Shape::Text, "What people read");
const ENV: Field =
    field("env", Shape::Variables, "Environment variables; inner ones replace outer ones of the same name");
const IF: Field =
    field("if", Shape::Condition, "Runs only if this CEL expression is true; `${{ }}` around it may be left out");
const CONTINUE: Field = field("continue-on-error", Shape::Boolean, "A failure is reported and does not fail the run");

pub static WORKFLOW: Table = Table {
    of: "a workflow",
    name: "workflow",
    fields: &[
        NAME,
        field("inputs", Shape::Named(&INPUT), "Values that are given with `-i name=value`, read as `inputs.NAME`"),
        ENV,
        field("jobs", Shape::Named(&JOB), "Jobs run in parallel unless one needs another"),
        field("steps", Shape::List(&STEP), "Short form for a workflow of one job, which is called `main`"),
        field("finally", Shape::List(&STEP), "Steps that run at the end, whatever happened"),
        field("retention", Shape::One(&RETENTION), "Which records of its runs are kept; all unless given"),
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
        ENV,
        field("outputs", Shape::Inputs, "Values for jobs that need this one, usually from `steps.ID.outputs.NAME`"),
        field("timeout", Shape::Duration, "The longest that the job may take"),
        CONTINUE,
        field("steps", Shape::List(&STEP), "Run one after the other"),
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
        field("run", Shape::Text, "A script; short for `uses: exec` with the input `run`"),
        field("shell", Shape::Text, "The shell of `run`"),
        IF,
        ENV,
        field("timeout", Shape::Duration, "The longest that the step may take"),
        CONTINUE,
        field("fail-on", Shape::Choice(&FAIL_ON), "The least severity of findings that fails the step"),
        field("grants", Shape::Grants, "Narrows what the plugin may touch"),
        field("limits", Shape::One(&LIMITS), "Changes the limits of the sandbox"),
    ],
};

pub static LIMITS: Table = Table {
    of: "limits",
    name: "limits",
    fields: &[
        field("memory", Shape::Size, "Memory of the component"),
        field("output", Shape::Size, "Everything the step says: log, standard output, findings, outputs"),
        field("handles", Shape::Count, "Open files, streams and other handles"),
        field("table-elements", Shape::Count, "Elements of all WebAssembly tables together"),
    ],
};
