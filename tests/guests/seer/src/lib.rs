//! A task that looks at a secret.

use serde::Deserialize;
use sluice_sdk::artifacts::Writer;
use sluice_sdk::{Failure, Level, Sink, Step, Task, secrets};

#[derive(Deserialize)]
struct Inputs {
    leave: String,
}

struct Seer;

impl Task for Seer {
    fn run(step: &Step, sink: &Sink) -> Result<(), Failure> {
        let Inputs { leave } = step.inputs()?;
        let value = secrets::reveal("SIGNING_KEY")?;
        sink.output("length", value.len())?;
        match leave.as_str() {
            "log" => sink.log(Level::Info, format!("it is {value}")),
            "output" => sink.output("it", &value)?,
            "artifact" => publish(&value)?,
            "encoded" => {
                let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
                publish(&hex)?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn publish(text: &str) -> Result<(), Failure> {
    let mut writer = Writer::start("signed.txt", "text/plain")?;
    writer.write(text.as_bytes())?;
    writer.finish()?;
    Ok(())
}

sluice_sdk::plugin!(Seer: Task, "plugin.yaml");
