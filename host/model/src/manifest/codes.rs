//! Codes of problems in manifests.

use crate::problem::Explanation;

pub const YAML: &str = "plugin::manifest-yaml";
pub const TOO_LARGE: &str = "plugin::manifest-too-large";
pub const EMPTY: &str = "plugin::manifest-empty";
pub const UNKNOWN_FIELD: &str = "plugin::manifest-unknown-field";
pub const MISSING_FIELD: &str = "plugin::manifest-missing-field";
pub const WRONG_TYPE: &str = "plugin::manifest-wrong-type";
pub const NAME: &str = "plugin::manifest-name";
pub const VERSION: &str = "plugin::manifest-version";
pub const KIND: &str = "plugin::manifest-kind";
pub const SCHEMA: &str = "plugin::manifest-schema";
pub const CAPABILITY: &str = "plugin::manifest-capability";
pub const GRANT: &str = "plugin::manifest-grant";

/// What `sluice explain` tells of them.
pub const CODES: &[Explanation] = &[
    Explanation {
        code: YAML,
        title: "the manifest is not valid YAML",
        text: "A plugin's manifest is one YAML 1.2 document: text keys, no key twice, no tags of its own. The label shows\nwhere reading stopped.",
    },
    Explanation {
        code: TOO_LARGE,
        title: "the manifest is too large",
        text: "A manifest has at most 64 KiB. Long descriptions belong into the plugin's README.",
    },
    Explanation {
        code: EMPTY,
        title: "the manifest is empty",
        text: "The least that a manifest says:\n\n    name: my-plugin\n    version: 0.1.0\n    description: Says what it does.\n    kinds: [task]",
    },
    Explanation {
        code: UNKNOWN_FIELD,
        title: "the manifest has a field that does not exist",
        text: "Unknown fields are refused, because a misspelled one would silently do nothing. A manifest has `name`, `version`,\n`description`, `kinds`, `inputs`, `outputs` and `capabilities`.",
    },
    Explanation {
        code: MISSING_FIELD,
        title: "the manifest lacks something",
        text: "`name`, `version`, `description` and `kinds` are required, and a `reason` with every capability: it is what people\nread when they decide whether to accept the plugin.",
    },
    Explanation {
        code: WRONG_TYPE,
        title: "a field of the manifest has the wrong type",
        text: "The label says what is expected. YAML reads `1.0` as a number and `yes` as text; quote what is meant as text.",
    },
    Explanation {
        code: NAME,
        title: "the plugin's name is not valid",
        text: "Names have lowercase letters, digits and `-`, begin with a letter and have at most 64 bytes: `name: s3-sync`.",
    },
    Explanation {
        code: VERSION,
        title: "the plugin's version is not valid",
        text: "Versions follow https://semver.org: three numbers, then perhaps a pre-release: `0.1.0`, `2.0.0-rc.1`.",
    },
    Explanation {
        code: KIND,
        title: "the plugin's kinds are not right",
        text: "Kinds are the interfaces that the component exports: `lint`, `scan`, `build`, `deploy`, `notify`, `task`. Name each\nonce, at least one:\n\n    kinds: [lint, scan]",
    },
    Explanation {
        code: SCHEMA,
        title: "a schema in the manifest is not right",
        text: "`inputs` and `outputs` are JSON Schemas (draft 2020-12) of an object whose properties are all named:\n\n    inputs:\n      type: object\n      properties:\n        url: {type: string, description: Where to send it}\n      required: [url]\n\nUnknown inputs are always refused, so `additionalProperties` is not needed; defaults must have the type that they\nare declared with.",
    },
    Explanation {
        code: CAPABILITY,
        title: "a declared capability is not right",
        text: "Each entry of `capabilities` declares one capability with its grants and a reason:\n\n    capabilities:\n      - files: [\"read .\"]\n        reason: the files to check\n\nCapabilities: `files`, `http`, `exec`, `env`, `secrets`, `artifacts`.",
    },
    Explanation {
        code: GRANT,
        title: "a grant in the manifest cannot be read",
        text: "Spellings of grants:\n\n    files: [\"read src\", \"write dist\"]\n    http: [\"GET https://api.example.com/v1/*\", \"POST ${{ with.url }}\"]\n    exec: [\"git\"]\n    env: [\"CI\"]\n    secrets: [\"SLACK_TOKEN\"]\n    artifacts: [\"read\", \"write\"]\n\nA grant with an expression over `with` is decided for each step from its inputs.",
    },
];
