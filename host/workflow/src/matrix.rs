//! The cells of a matrix: every combination of its lists, without those excluded, with those included.
//!
//! `include` and `exclude` mean what they mean in GitHub Actions (docs.github.com, "Running variations of jobs in a
//! workflow"): an exclusion removes each combination that agrees with all its values; an inclusion is added to each
//! combination of the lists whose values it does not change, and is a cell of its own where there is none.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// More cells than this are refused.
pub const MAX_CELLS: usize = 1000;

/// Longest name of a cell made from its values, in characters.
const MAX_NAME: usize = 80;

const INCLUDE: &str = "include";
const EXCLUDE: &str = "exclude";

/// One combination: what `matrix` is in expressions.
pub type Cell = Map<String, Value>;

/// Whether the key is no list of values but changes the combinations.
pub fn is_special(key: &str) -> bool {
    key == INCLUDE || key == EXCLUDE
}

/// All cells, in the order of the lists, the last list changing fastest. `value` is a mapping of lists, or a list of
/// mappings, which are the cells themselves.
///
/// # Errors
/// What is wrong with it, to follow the words "the matrix".
pub fn cells(value: &Value) -> Result<Vec<Cell>, String> {
    let lists = match value {
        Value::Object(lists) => lists,
        Value::Array(_) => return checked(mappings(Some(value), "a list")?),
        _ => return Err("is neither a mapping nor a list".to_owned()),
    };
    let include = mappings(lists.get(INCLUDE), "`include`")?;
    let exclude = mappings(lists.get(EXCLUDE), "`exclude`")?;
    let mut names = HashSet::new();
    let mut cells: Vec<Cell> = vec![Map::new()];
    for (name, values) in lists.iter().filter(|(name, _)| !is_special(name)) {
        let Value::Array(values) = values else { return Err(format!("has `{name}`, which is no list")) };
        names.insert(name);
        if cells.len().saturating_mul(values.len()) > MAX_CELLS {
            return Err(format!("has more than {MAX_CELLS} cells"));
        }
        let with = |cell: &Cell, value: &Value| {
            let mut cell = cell.clone();
            cell.insert(name.clone(), value.clone());
            cell
        };
        cells = cells.iter().flat_map(|cell| values.iter().map(move |value| with(cell, value))).collect();
    }
    if names.is_empty() {
        cells.clear();
    }
    cells.retain(|cell| !exclude.iter().any(|excluded| agrees(cell, excluded)));
    let originals = cells.clone();
    for included in include {
        let mut placed = false;
        for (cell, original) in cells.iter_mut().zip(&originals) {
            if included.iter().all(|(name, value)| original.get(name).is_none_or(|own| own == value)) {
                cell.extend(included.clone());
                placed = true;
            }
        }
        if !placed {
            cells.push(included);
        }
    }
    checked(cells)
}

fn checked(cells: Vec<Cell>) -> Result<Vec<Cell>, String> {
    if cells.len() > MAX_CELLS { Err(format!("has more than {MAX_CELLS} cells")) } else { Ok(cells) }
}

fn agrees(cell: &Cell, excluded: &Cell) -> bool {
    excluded.iter().all(|(name, value)| cell.get(name) == Some(value))
}

fn mappings(value: Option<&Value>, what: &str) -> Result<Vec<Cell>, String> {
    let items = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(format!("has {what} that is no list")),
    };
    let mapping =
        |item: &Value| item.as_object().cloned().ok_or_else(|| format!("has {what} with an item that is no mapping"));
    items.iter().map(mapping).collect()
}

/// `test (linux, 1.2)` for each cell of the job `test`; no two are the same.
pub fn names(job: &str, cells: &[Cell]) -> Vec<String> {
    let mut taken = HashSet::new();
    let name = |cell: &Cell| {
        let base = format!("{job} ({})", label(cell.values()));
        let mut name = base.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{base} #{number}");
            number += 1;
        }
        name
    };
    cells.iter().map(name).collect()
}

/// Values as people read them, within reason.
pub fn label<'v>(values: impl Iterator<Item = &'v Value>) -> String {
    let shown = values.map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let text = shown.collect::<Vec<_>>().join(", ").replace(|c: char| c.is_control(), " ");
    if text.chars().count() <= MAX_NAME { text } else { text.chars().take(MAX_NAME - 3).chain("...".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(value: &Value) -> Result<Vec<String>, String> {
        cells(value).map(|cells| cells.iter().map(|cell| Value::Object(cell.clone()).to_string()).collect())
    }

    #[test]
    fn lists_are_combined_and_the_last_changes_fastest() {
        let cells = shown(&json!({"os": ["linux", "mac"], "v": [1, 2]})).unwrap();
        let expected =
            [r#"{"os":"linux","v":1}"#, r#"{"os":"linux","v":2}"#, r#"{"os":"mac","v":1}"#, r#"{"os":"mac","v":2}"#];
        assert_eq!(cells, expected);
    }

    #[test]
    fn include_adds_to_what_agrees_and_stands_alone_otherwise() {
        let matrix = json!({
            "fruit": ["apple", "pear"], "animal": ["cat"],
            "include": [
                {"color": "green"}, {"color": "pink", "animal": "cat"}, {"fruit": "apple", "shape": "circle"},
                {"fruit": "banana"}, {"fruit": "banana", "animal": "cat"},
            ],
        });
        let expected = [
            r#"{"fruit":"apple","animal":"cat","color":"pink","shape":"circle"}"#,
            r#"{"fruit":"pear","animal":"cat","color":"pink"}"#,
            r#"{"fruit":"banana"}"#,
            r#"{"fruit":"banana","animal":"cat"}"#,
        ];
        assert_eq!(shown(&matrix).unwrap(), expected);
    }

    #[test]
    fn exclude_removes_what_agrees_with_all_its_values() {
        let matrix = json!({"os": ["linux", "mac"], "v": [1, 2], "exclude": [{"os": "mac", "v": 1}, {"os": "win"}]});
        assert_eq!(cells(&matrix).unwrap().len(), 3);
        assert_eq!(shown(&json!({"include": [{"a": 1}]})).unwrap(), [r#"{"a":1}"#]);
        assert_eq!(shown(&json!([{"a": 1}, {"b": 2}])).unwrap(), [r#"{"a":1}"#, r#"{"b":2}"#]);
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        let many: Vec<usize> = (0..40).collect();
        for (matrix, reason) in [
            (json!("x"), "neither a mapping nor a list"),
            (json!({"os": "linux"}), "`os`, which is no list"),
            (json!({"os": [1], "include": {"a": 1}}), "`include` that is no list"),
            (json!({"os": [1], "exclude": [1]}), "an item that is no mapping"),
            (json!({"a": many, "b": many}), "more than 1000 cells"),
        ] {
            let found = cells(&matrix).unwrap_err();
            assert!(found.contains(reason), "{found}");
        }
    }

    #[test]
    fn names_tell_cells_apart() {
        let cells = cells(&json!({"a": ["x", {"k": 1}, "x"], "b": [true]})).unwrap();
        assert_eq!(names("test", &cells), ["test (x, true)", r#"test ({"k":1}, true)"#, "test (x, true) #2"]);
    }
}
