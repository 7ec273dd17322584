//! `sluice plugin verify`

use std::fs;
use std::path::Path;

use serde_json::json;
use sluice_model::{IdentityPattern, PluginRef, Problem};
use sluice_registry_oci::signature::{Identity, PublicKey, Roots, Signer, Trusted};

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
    let trusted = trusted(args, from)?;
    let workspace = lock_file::workspace(from);
    let lock = lock_file::read(&workspace)?;
    let artifact = outside::artifact_of(&oci, &lock, &workspace).map_err(|problem| vec![problem])?;
    let signer = outside::signer(&oci, artifact, &trusted, &lock, &workspace).map_err(|problem| vec![problem])?;
    let (name, manifest) = (&args.plugin, artifact.manifest);
    output.result(&match (args.json, signer) {
        (true, Signer::Key(key)) => {
            format!("{:#}\n", json!({"reference": name, "manifest": manifest, "key": key}))
        }
        (true, Signer::Identity { identity, issuer }) => {
            let signed = json!({"reference": name, "manifest": manifest, "identity": identity, "issuer": issuer});
            format!("{signed:#}\n")
        }
        (false, Signer::Key(key)) => {
            format!("{name} is signed\n  artifact  {manifest}\n  key       {key}\n")
        }
        (false, Signer::Identity { identity, issuer }) => {
            format!("{name} is signed\n  artifact  {manifest}\n  identity  {identity}\n  issuer    {issuer}\n")
        }
    });
    Ok(())
}

/// Whose signature the arguments ask for; all that is wrong with them at once.
fn trusted(args: &VerifyPluginArgs, from: &Path) -> Result<Trusted, Vec<Problem>> {
    if let Some(key) = &args.key {
        let read = text(&from.join(key)).and_then(|text| PublicKey::from_pem(&text).map_err(str::to_owned));
        let problem = |reason| {
            let message = format!("cannot use the public key `{}`", key.display());
            vec![Problem::new("plugin::bad-key", message).cause(reason)]
        };
        return read.map(Trusted::Key).map_err(problem);
    }
    let identity = args.identity.as_deref().unwrap_or_default();
    let subject = IdentityPattern::parse(identity).map_err(|reason| {
        Problem::new("plugin::bad-signer", format!("`{identity}` is no identity")).cause(reason).help(
            "write it whole; the releases of one workflow are \
             `https://github.com/acme/greet/.github/workflows/release.yaml@refs/tags/*`",
        )
    });
    let roots = match &args.roots {
        Some(path) => text(&from.join(path)).and_then(|text| Roots::from_json(&text)).map_err(|reason| {
            Problem::new("plugin::bad-signer", format!("cannot use the trusted roots `{}`", path.display()))
                .cause(reason)
                .help("get those of the public instance with `cosign trusted-root create --with-default-services`")
        }),
        None => Roots::public().map_err(|reason| {
            Problem::new("plugin::bad-signer", "cannot use the trusted roots of the public instance").cause(reason)
        }),
    };
    match (subject, roots) {
        (Ok(subject), Ok(roots)) => {
            let issuer = args.issuer.clone().unwrap_or_default();
            Ok(Trusted::Identity(Box::new(Identity { subject, issuer, roots })))
        }
        (subject, roots) => Err(subject.err().into_iter().chain(roots.err()).collect()),
    }
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| error.to_string())
}
