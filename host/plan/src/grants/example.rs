//! What to write into a step's `grants`, as an example, when its inputs are not known yet.

use std::collections::BTreeSet;

use sluice_model::Grants;
use sluice_model::grant::{Capability, Grant};
use sluice_workflow::template::{Piece, TemplateValue};

use crate::plan::Step;
use crate::plugin::Declared;

/// Grants of one capability in the form that the plugin declares: `decided` are those that follow from inputs which are
/// known, the others are examples.
pub fn example(step: &Step, capability: Capability, decided: &Grants, unknown: &BTreeSet<&str>) -> Vec<String> {
    let mut spellings = decided.spellings(capability);
    let declared = step.plugin.declared.iter().flatten();
    for declared in declared.filter(|declared| declared.capability == capability && declared.depends_on(unknown)) {
        let spelling = in_its_form(declared);
        if !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    }
    spellings
}

/// Keeps what stands in front of the first expression (`POST `, `read `), and completes it.
fn in_its_form(declared: &Declared) -> String {
    let front = match &declared.template.value {
        TemplateValue::Text(pieces) => match pieces.first() {
            Some(Piece::Literal(text)) => text.as_str(),
            _ => "",
        },
        _ => "",
    };
    let (ends, whole): (&[&str], &str) = match declared.capability {
        // A folder that is named already, or one of its access.
        Capability::Files if front.ends_with('/') => (&[""], "read src"),
        Capability::Files => (if front == "write " { &["dist"] } else { &["src"] }, "read src"),
        Capability::Http => {
            (&["*", "https://api.example.com/v1/*", "api.example.com/v1/*"], "GET https://api.example.com/v1/*")
        }
        Capability::Tcp => (&["5432", "db.example.org:5432"], "db.example.org:5432"),
        Capability::Exec => (&["git"], "git"),
        Capability::Toolchain => (&["rust"], "rust"),
        Capability::Paths => (&["~/.config", "read ~/.config"], "read ~/.config"),
        Capability::Env => (&["CI"], "CI"),
        Capability::Secrets => (&["API_TOKEN"], "API_TOKEN"),
        Capability::Artifacts => (&["read"], "read"),
    };
    let mut candidates = ends.iter().filter_map(|end| Grant::parse(declared.capability, &format!("{front}{end}")).ok());
    candidates.next().map_or_else(|| whole.to_owned(), |grant| grant.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_the_form_of_what_is_declared() {
        for (capability, spelling, expected) in [
            (Capability::Http, "POST ${{ with.url }}", "POST https://api.example.com/v1/*"),
            (Capability::Http, "${{ with.method }} ${{ with.url }}", "GET https://api.example.com/v1/*"),
            (Capability::Http, "* https://${{ with.host }}/v2/*", "* https://api.example.com/v1/*"),
            (Capability::Http, "PUT http://${{ with.host }}", "PUT http://api.example.com/v1/*"),
            (
                Capability::Http,
                "GET https://git.example.org/repos/${{ with.name }}",
                "GET https://git.example.org/repos/*",
            ),
            (Capability::Files, "write ${{ with.to }}", "write dist"),
            (Capability::Files, "read config/${{ with.stage }}", "read config"),
            (Capability::Files, "${{ with.files }}", "read src"),
            (Capability::Tcp, "${{ with.tcp }}", "db.example.org:5432"),
            (Capability::Tcp, "127.0.0.1:${{ with.port }}", "127.0.0.1:5432"),
            (Capability::Exec, "${{ with.program }}", "git"),
            (Capability::Secrets, "DEPLOY_${{ with.stage }}", "DEPLOY_API_TOKEN"),
            (Capability::Env, "${{ with.names }}", "CI"),
            (Capability::Artifacts, "${{ with.access }}", "read"),
        ] {
            let declared = Declared::parse(capability, spelling).unwrap();
            assert_eq!(in_its_form(&declared), expected, "{spelling}");
            assert!(Grant::parse(capability, expected).is_ok(), "{expected}");
        }
    }
}
