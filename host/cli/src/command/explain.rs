//! `sluice explain`

use sluice_model::Problem;
use sluice_model::problem::Explanation;
use sluice_model::suggest::closest;

use crate::args::ExplainArgs;
use crate::output::Output;
use crate::{codes, exit};

fn all() -> impl Iterator<Item = &'static Explanation> {
    sluice_workflow::CODES
        .iter()
        .chain(sluice_plan::CODES)
        .chain(sluice_plan::policy::CODES)
        .chain(sluice_model::manifest::CODES)
        .chain(sluice_model::lock::CODES)
        .chain(codes::CODES)
}

pub fn run(args: &ExplainArgs, output: &Output) -> u8 {
    let Some(code) = &args.code else {
        let width = all().map(|explanation| explanation.code.len()).max().unwrap_or_default();
        let lines = all().map(|explanation| format!("{:width$}  {}\n", explanation.code, explanation.title));
        output.result(&lines.collect::<String>());
        return exit::PASSED;
    };
    match all().find(|explanation| explanation.code == code) {
        Some(explanation) => {
            let title = explanation.title;
            output.result(&format!("{code}: {title}\n\n{}\n", explanation.text.trim_end()));
            exit::PASSED
        }
        None => {
            let near = closest(code, all().map(|explanation| explanation.code));
            let help = match near {
                Some(near) => format!("a code with a similar name exists: `{near}`"),
                None => "`sluice explain` lists all codes".to_owned(),
            };
            output.problems(&[
                Problem::new("usage::unknown-code", format!("no problem has the code `{code}`")).help(help)
            ]);
            exit::REFUSED
        }
    }
}
