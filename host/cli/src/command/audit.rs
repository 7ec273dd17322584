//! `sluice runs audit`

use std::path::Path;

use sluice_model::Problem;
use sluice_report::audit::{Audit, Wanted};

use crate::args::AuditArgs;
use crate::output::Output;

pub fn run(args: &AuditArgs, from: &Path, output: &Output) -> Result<(), Problem> {
    let problem = |error| Problem::from(&error);
    let run = sluice_record::open(&super::runs::workspace(from).join(".sluice"), &args.run).map_err(problem)?;
    let steps = args.step.as_deref().map(|step| run.steps(step)).transpose().map_err(problem)?;
    let mut audit = Audit::new(Wanted { only_denied: args.denied, steps });
    for event in run.events().map_err(problem)? {
        audit.on_event(&event.map_err(problem)?);
    }
    output.result(&if args.json {
        format!("{:#}\n", audit.to_json(run.id().as_str()))
    } else {
        audit.to_text(output.look())
    });
    Ok(())
}
