//! JSON Schema for editors, made from the tables in [`crate::fields`].

use serde_json::{Map, Value, json};
use sluice_model::grant::Capability;

use crate::fields::{Field, RETRY_ON, Shape, Table, WORKFLOW};

/// JSON Schema (draft 2020-12) of a workflow. It knows shapes, not meanings: [`crate::parse`] checks more.
pub fn schema() -> Value {
    let definitions: Map<String, Value> =
        Table::ALL.into_iter().skip(1).map(|table| (table.name.to_owned(), mapping(table))).collect();
    let mut schema = mapping(&WORKFLOW);
    if let Value::Object(object) = &mut schema {
        object.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        object.insert("title".into(), "Sluice workflow".into());
        object.insert("oneOf".into(), json!([{"required": ["jobs"]}, {"required": ["steps"]}]));
        object.insert("$defs".into(), Value::Object(definitions));
    }
    schema
}

fn mapping(table: &Table) -> Value {
    let properties: Map<String, Value> =
        table.fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
    // Whoever wrote `input:` and nothing more means one with every default.
    let kind = if table.name == "input" { json!(["object", "null"]) } else { json!("object") };
    let mut schema = json!({"type": kind, "additionalProperties": false, "properties": properties});
    match table.name {
        "step" => schema["oneOf"] = json!([{"required": ["uses"]}, {"required": ["run"]}, {"required": ["wait-for"]}]),
        "service" => schema["oneOf"] = json!([{"required": ["uses"]}, {"required": ["run"]}]),
        "wait-for" => {
            schema["oneOf"] = ["tcp", "http", "exec", "file"].map(|goal| json!({"required": [goal]})).as_slice().into();
        }
        "job" => schema["oneOf"] = json!([{"required": ["steps"]}, {"required": ["uses"]}]),
        "ready" => {
            schema["oneOf"] = ["tcp", "http", "exec", "log"].map(|way| json!({"required": [way]})).to_vec().into()
        }
        "secret" => {
            schema["minProperties"] = 1.into();
            schema["maxProperties"] = 1.into();
        }
        "gate" => schema["oneOf"] = json!([{"required": ["check"]}, {"required": ["attest"]}]),
        "vault" => schema["required"] = json!(["path", "key"]),
        "aws" => schema["required"] = json!(["id"]),
        "failure" => schema["minProperties"] = 1.into(),
        "concurrency" => schema["required"] = json!(["group"]),
        _ => {}
    }
    schema
}

fn property(field: &Field) -> Value {
    let mut schema = shape(field.shape);
    schema["description"] = field.description.into();
    schema
}

fn shape(shape: Shape) -> Value {
    let text = json!({"type": "string"});
    let reference = |table: &Table| json!({"$ref": format!("#/$defs/{}", table.name)});
    match shape {
        Shape::Text => text,
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Duration => {
            json!({"type": "string", "pattern": "^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$", "examples": ["10m", "90s"]})
        }
        Shape::Size => {
            json!({"type": "string", "pattern": "^[0-9]+ ?(B|kB|MB|GB|KiB|MiB|GiB)$", "examples": ["64MiB"]})
        }
        Shape::Count => json!({"type": "integer", "minimum": 1}),
        Shape::Number => json!({"type": "number", "minimum": 1}),
        Shape::Texts => json!({"oneOf": [text, {"type": "array", "items": text, "uniqueItems": true}]}),
        Shape::Words => json!({"type": "array", "minItems": 1, "items": text}),
        Shape::Condition => json!({"type": ["string", "boolean"]}),
        Shape::Flag => {
            json!({"oneOf": [{"type": "boolean"}, {"type": "string", "pattern": "^\\s*[$][{][{].*[}][}]\\s*$"}]})
        }
        Shape::Any => json!({}),
        Shape::Values => json!({"type": "array"}),
        Shape::Items => json!({"type": ["array", "string"]}),
        Shape::Matrix => {
            let cells = json!({"oneOf": [{"type": "array", "items": {"type": "object"}}, text]});
            let list = json!({"oneOf": [{"type": "array", "minItems": 1}, text]});
            let lists = json!({
                "type": "object",
                "properties": {"include": cells, "exclude": cells},
                "additionalProperties": list,
            });
            json!({"oneOf": [text, lists]})
        }
        Shape::Retry(table) => json!({"oneOf": [{"type": "integer", "minimum": 1}, reference(table)]}),
        Shape::Failures(table) => {
            let one = json!([{"enum": RETRY_ON}, reference(table)]);
            json!({"oneOf": [one[0], one[1], {"type": "array", "items": {"oneOf": one}}]})
        }
        Shape::ExitCodes => {
            let code = json!({"type": "integer", "minimum": 1, "maximum": 255});
            json!({"oneOf": [code, {"type": "array", "items": code, "minItems": 1}]})
        }
        Shape::TextOr(table) => json!({"oneOf": [text, reference(table)]}),
        Shape::Checklist(table) => json!({
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"oneOf": [{"type": ["string", "boolean"]}, reference(table)]},
        }),
        Shape::Choice(choices) => json!({"enum": choices}),
        Shape::Choices(choices) => json!({"oneOf": [
            {"enum": choices},
            {"type": "array", "items": {"enum": choices}, "minItems": 1, "uniqueItems": true},
        ]}),
        Shape::Port => json!({"oneOf": [{"const": "auto"}, {"type": "integer", "minimum": 1, "maximum": 65535}]}),
        Shape::Versions => json!({
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z0-9_][A-Za-z0-9._+-]*$"},
            "additionalProperties": {"type": ["string", "number"]},
        }),
        Shape::Variables => json!({
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        }),
        Shape::Inputs => json!({"type": "object"}),
        Shape::Renamed => {
            let name = json!({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"});
            json!({"oneOf": [
                {"type": "array", "items": name, "uniqueItems": true},
                {"type": "object", "propertyNames": name, "additionalProperties": name},
            ]})
        }
        Shape::Grants => {
            let spellings = json!({"oneOf": [text, {"type": "array", "items": text}, {"type": "null"}]});
            let known = Capability::ALL.into_iter().map(|capability| {
                let mut schema = spellings.clone();
                if capability == Capability::Exec {
                    // `{git: [status, "log **"]}`: a program with the arguments that it may get.
                    let programs = json!({"type": "object", "additionalProperties": spellings});
                    schema = json!({"oneOf": [
                        text, programs, {"type": "array", "items": {"oneOf": [text, programs]}}, {"type": "null"},
                    ]});
                }
                schema["description"] = format!("This step may {}", capability.meaning()).into();
                (capability.as_str().to_owned(), schema)
            });
            json!({"type": "object", "additionalProperties": false, "properties": Value::Object(known.collect())})
        }
        Shape::Named(table) => json!({
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,63}$"},
            "additionalProperties": reference(table),
        }),
        Shape::List(table) => json!({"type": "array", "minItems": 1, "items": reference(table)}),
        Shape::One(table) => reference(table),
    }
}
