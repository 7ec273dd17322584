//! `sluice plugin verify`

use std::fs;
use std::path::Path;

use serde_json::json;
use sluice_model::{PluginRef, Problem};
use sluice_registry_oci::signature::{PublicKey, Trusted};

use super::reference;
use crate::args::VerifyPluginArgs;
use crate::output::Output;
use crate::{lock_file, outside};

pub fn verify(args: &VerifyPluginArgs, from: &Path, output: &Output) -> Result<(), Vec<Problem>> {
    let PluginRef::Oci(oci) = reference(&args.plugin)? else {
        let message = format!("`{}` is no artifact of a container registry", args.plugin);
        return Err(vec![
            Problem::new("plugin::bad-reference", message).help("only those have signatures beside them"),
        ]);
    };
    let key = key(&from.join(&args.key)).map_err(|reason| {
        let message = format!("cannot use the public key `{}`", args.key.display());
        vec![Problem::new("plugin::bad-key", message).cause(reason)]
    })?;
    let workspace = lock_file::workspace(from);
    let lock = lock_file::read(&workspace)?;
    let artifact = outside::artifact_of(&oci, &lock, &workspace).map_err(|problem| vec![problem])?;
    let signer =
        outside::signer(&oci, artifact, &Trusted::Key(key), &lock, &workspace).map_err(|problem| vec![problem])?;
    let manifest = artifact.manifest;
    output.result(&if args.json {
        format!("{:#}\n", json!({"reference": args.plugin, "manifest": manifest, "key": signer.key}))
    } else {
        format!("{} is signed\n  artifact  {manifest}\n  key       {}\n", args.plugin, signer.key)
    });
    Ok(())
}

fn key(path: &Path) -> Result<PublicKey, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    PublicKey::from_pem(&text).map_err(str::to_owned)
}
