//! Problems that arise while a run goes on, or on this machine; those of a workflow and a plan stand in their crates.

use sluice_model::problem::Explanation;

pub const CODES: &[Explanation] = &[
    Explanation {
        code: "policy::unreadable",
        title: "a policy is there and cannot be read",
        text: "\
A policy that exists applies, so nothing runs while one of them cannot be read. A policy is a regular file of UTF-8 text; that
of the repository may be a link, but not one that leads out of the workspace. A file that SLUICE_POLICY or
SLUICE_MACHINE_POLICY names must exist, and is named by an absolute path.

`sluice policy show` lists the policies that apply.",
    },
    Explanation {
        code: "host::cannot-confine",
        title: "the system cannot confine the programs that steps run",
        text: "\
A program that a step runs gets what the step was granted and no more; Linux holds it to that, with Landlock (Linux 6.2 or
newer) and seccomp. Neither root nor namespaces are needed, so it works in a container as well, if the container lets these
calls through. Where the system cannot do it, a workflow that runs programs is refused before anything runs.

    sluice doctor                       what this machine can do, and why not
    sluice run --allow-unconfined       its programs may do all that your account can

`SLUICE_ALLOW_UNCONFINED=1` in the environment says the same. Where programs can be confined, it changes nothing.",
    },
    Explanation {
        code: "run::denied",
        title: "the host refused something that the step was not granted",
        text: "\
A step may touch what its plugin declares and the workflow does not narrow away. The message says what was asked; the help
shows the narrowest grant that would allow it. Widen a grant only if the step should really reach that:

    - uses: notify
      grants:
        http: [\"POST https://hooks.example.com/ci\"]

`sluice plan` shows the grants of every step.",
    },
    Explanation {
        code: "run::findings",
        title: "a lint or scan found something",
        text: "\
Findings at or above `fail-on` fail the step. The default is `error` for lint and `warning` for scan:

    - uses: lint
      fail-on: never        # report only",
    },
    Explanation {
        code: "run::timed-out",
        title: "a step or job reached its time limit",
        text: "\
A step may take 10 minutes unless it says otherwise; all programs that it ran were ended with it:

    - run: make test
      timeout: 1h",
    },
    Explanation {
        code: "run::secret",
        title: "the value of a secret cannot be had",
        text: "\
Before the first step starts, Sluice fetches the values of the secrets that steps are granted. One that cannot be had stops
the run there. The message says which source was asked and what happened. Whatever the source, the environment variable
SLUICE_SECRET_NAME goes before it:

    SLUICE_SECRET_API_TOKEN=... sluice run deploy

`sluice plan` shows the secrets with their sources and the steps that are granted them.",
    },
    Explanation {
        code: "run::secret-leak",
        title: "an artifact holds the value of a secret",
        text: "\
A step that was given the value of a secret, because the plugin was granted `NAME reveal` or because a program got it as a
variable, was about to publish an artifact in which that value stands: as it is, or in base64, hexadecimal or another usual
form. The artifact is not published, and the step fails. Take the value out of what is published; a program that needs it only
for a request does not have to write it into a file.",
    },
    Explanation {
        code: "run::secret-without-source",
        title: "a step is granted a secret that has no source",
        text: "\
A workflow with `secrets` says there where every secret comes from, or the environment has its value:

    secrets:
      API_TOKEN: {env: API_TOKEN_PROD}

A workflow without `secrets` takes all values from SLUICE_SECRET_NAME, and a step fails only when it uses one that is not set.",
    },
    Explanation {
        code: "run::short-secret",
        title: "a secret is too short to be masked",
        text: "\
A value of fewer than 4 characters is found in ordinary words, so it is not replaced by `***`. Everything else that protects a
secret holds for it too. Use a longer one.",
    },
    Explanation {
        code: "run::limit",
        title: "a step reached a limit on memory, tables, handles, files or output",
        text: "\
Limits keep a plugin that went wrong, or means harm, from taking the machine down. If the step needs more:

    - uses: scan
      limits: {memory: 2GiB, output: 64MiB}",
    },
    Explanation {
        code: "run::cancelled",
        title: "the run was cancelled",
        text: "\
A signal (Ctrl-C, SIGTERM) ended the run. Running steps were asked to end, and `finally` ran. A second signal ends at once.",
    },
    Explanation {
        code: "run::expression",
        title: "an expression could not be evaluated while the run was under way",
        text: "\
Names are checked before the run, but values are not known then: an output that was never set, an index past the end of a
list, a text where a number is needed. Look at the outputs of the step it reads with `sluice runs show --json`.",
    },
    Explanation {
        code: "run::no-such-run",
        title: "there is no record of that run",
        text: "\
Runs are recorded in `.sluice/runs` of the workspace, and are named by the beginning of their id or by `latest`:

    sluice runs list",
    },
    Explanation {
        code: "run::ambiguous-run",
        title: "several runs have ids that begin so",
        text: "\
Give more of the id:

    sluice runs show 20261121-0945",
    },
    Explanation {
        code: "run::has-ended",
        title: "a run that has ended is not resumed",
        text: "`sluice resume` goes on with a run that was interrupted or cancelled. One that passed or failed has nothing left to do.\nTo run again what failed: `sluice rerun --failed`. To go back to a step of the same run: `sluice resume --from JOB/STEP`.",
    },
    Explanation {
        code: "run::gate",
        title: "a gate of a checklist does not hold",
        text: "\
The `checklist` of a job says what must be so before it runs. A gate that is checked and does not hold fails the job at once,
and nobody is asked. The table shows all gates; a value that was never set counts as not holding.",
    },
    Explanation {
        code: "run::not-approved",
        title: "a job was denied, or nobody answered in time",
        text: "\
A job with `approval` runs only after somebody said yes. No, or silence until its `timeout` is over, fails it. What was said
stands for this run; to be asked again, run again:

    sluice rerun --failed",
    },
    Explanation {
        code: "run::waits-for-nothing",
        title: "there is nothing to approve",
        text: "\
The run has ended, or was answered, or has no job that asks. `sluice runs list` shows the runs that wait for an approval.",
    },
    Explanation {
        code: "run::ambiguous-job",
        title: "several jobs of the run wait for an approval",
        text: "Name those that you mean:\n\n    sluice approve 20261121-0945 --job deploy",
    },
    Explanation {
        code: "run::decided",
        title: "somebody else has answered before",
        text: "An answer stands once it is on record, and of two the first counts. `sluice runs show` tells who gave it.",
    },
    Explanation {
        code: "run::too-late",
        title: "the time for an answer is over",
        text: "\
The `timeout` of an approval runs from the moment somebody was asked, also while the run is parked. After it, silence means
no: `sluice resume` goes on with the run, and the job fails.",
    },
    Explanation {
        code: "run::may-not-approve",
        title: "somebody else has to answer",
        text: "\
`by` of an approval names the users of the system who may answer, and `not-self: true` leaves out the one who started the
run. The help says who may.",
    },
    Explanation {
        code: "run::not-attested",
        title: "a gate has to be attested by the person who approves",
        text: "\
A gate with `attest` is a question to that person. Approving needs a yes to each:

    sluice approve --attest announced
    sluice approve --attest-all",
    },
    Explanation {
        code: "run::outcome-unknown",
        title: "a step may or may not have done its work",
        text: "The run ended between the start of a deploy or notify step and the record of its end: killed, out of power, disk full.\nDoing it twice may matter, so it is not done again by itself. Look at what it changes, then:\n\n    sluice resume --repeat JOB/STEP\n\nThe plugin gets the same idempotency key as before.",
    },
    Explanation {
        code: "run::no-origin",
        title: "the plan of a recorded run cannot be made again",
        text: "The run ended before its plan was on the disk, or the record is of an older version. Run the workflow again.",
    },
    Explanation {
        code: "run::plan-changed",
        title: "a recorded run would not do the same any more",
        text: "A run is resumed with the plan it began with: the recorded workflow, inputs and facts. A plugin that has other bytes now\nwould make another plan of it. Put the plugin back, or run the workflow again.",
    },
    Explanation {
        code: "run::still-running",
        title: "the run goes on in another process",
        text: "A process holds the record of this run. Wait until it ends, or end it with a signal, before you resume the run.",
    },
    Explanation {
        code: "run::record-edited",
        title: "a record is not as it was written",
        text: "Every event of a record carries a hash over itself and all before it, and the first one carries the digests of the files\nbeside it. What is told here is the first place that does not fit. Nothing behind it can be relied on.",
    },
    Explanation {
        code: "run::record-unchained",
        title: "a record has no hashes",
        text: "It was written by a Sluice that made none. It can be read and resumed, but not verified.",
    },
    Explanation {
        code: "run::receipt",
        title: "a receipt is not of this run",
        text: "\
`sluice runs verify --receipt FILE --key PUB` wants all of this: a signature by that key; the run of that id; the hash that its
record has now; every artifact that the receipt names, with its digest, in `.sluice/artifacts`. All that does not fit is told.",
    },
    Explanation {
        code: "run::not-ended",
        title: "a run without an end is not signed",
        text: "\
A receipt says how a run ended. One that was interrupted, waits for an approval, or has an incomplete record gets none.",
    },
    Explanation {
        code: "run::other-workflow",
        title: "a workflow has changed since the runs on record",
        text: "\
`sluice grants learn` changes the workflow file, so it learns from runs of exactly that text. Run it again, then learn from that
run.",
    },
    Explanation {
        code: "run::incomplete",
        title: "the record of a run is incomplete",
        text: "\
While the run went on, its events could no longer be written: the disk was full, or became read-only. The verdict was told at
its end and stands, but the record ends in the middle. To resume it would do again what may have been done, so that is refused.
Look at what the run did, make room, and run the workflow again:

    sluice runs show RUN     # what is on record
    sluice rerun RUN         # the same workflow with the same inputs",
    },
    Explanation {
        code: "run::no-events",
        title: "a record has no events",
        text: "The run ended before anything of it was recorded. Run the workflow again.",
    },
    Explanation {
        code: "run::no-such-step",
        title: "the run has no step of that name",
        text: "\
A step is named by its job and its id; a step without an `id` is `step-N`, counted from 1:

    sluice runs logs --step check/step-1",
    },
    Explanation {
        code: "run::nothing-to-roll-back",
        title: "the run deployed nothing",
        text: "\
Only deploy steps that finished leave a receipt, which is what a rollback needs. Name the run that deployed:

    sluice rollback 20261121-0945",
    },
    Explanation {
        code: "run::other-plugin",
        title: "the plugin is not the one that deployed",
        text: "\
A receipt is opaque to all but the plugin that wrote it, so a rollback runs exactly that version, by digest.",
    },
    Explanation {
        code: "plan::file",
        title: "a plan could not be written to a file, or read from one",
        text: "\
`sluice run --plan FILE` runs what `sluice plan -o FILE` wrote. The file is JSON; it holds the plan and what it was made
from, and is not meant to be edited:

    sluice plan deploy -i env=prod -o deploy.plan
    sluice run --plan deploy.plan",
    },
    Explanation {
        code: "plan::changed",
        title: "the workspace no longer gives the plan in the file",
        text: "\
A run with `--plan` plans again with the inputs of the file, and compares: digests of plugins, inputs, grants, conditions,
steps, and what `git` is if the workflow reads it. If anything is different nothing runs. Look at the difference; if it is
what should run, plan anew with `sluice plan -o FILE`.",
    },
    Explanation {
        code: "plan::has-run",
        title: "a plan for one run has run already",
        text: "\
The workflow reads `run.id`, so its plan is for the run of that id, and there is a record of it. Plan anew for another run:

    sluice plan deploy -o deploy.plan",
    },
    Explanation {
        code: "plugin::not-fetched",
        title: "a plugin from outside could not be fetched",
        text: "\
The message says who was asked and what happened. Bytes that were fetched once are kept in the user's cache, by digest. To need
no network at all, keep them in the repository:

    sluice plugin vendor

A registry that wants to know who you are is told what `docker login` wrote: in `config.json`, or by a credential helper.",
    },
    Explanation {
        code: "plugin::wrong-digest",
        title: "a plugin has other bytes than its digest says",
        text: "\
Bytes from outside are compared with the digest in `sluice.lock`, or in the reference, each time they are read. These are
others, so they are not run. Somebody may have replaced them: ask the author before you accept anything new.",
    },
    Explanation {
        code: "plugin::not-pushed",
        title: "a plugin could not be pushed",
        text: "\
The message says what the registry answered. To push, you have to be somebody to it:

    docker login registry.example.org
    sluice plugin push check.wasm oci://registry.example.org/acme/check:1.2",
    },
    Explanation {
        code: "plugin::not-signed",
        title: "a plugin has no signature that counts",
        text: "\
A signature counts if it is of exactly this artifact and by the key or the identity that was named. The message lists what was
found. Signatures of `cosign sign` are read, in its older format and in bundles. A keyless one counts only with all of this: a
certificate for the identity by an authority of the trusted roots, its entry in a log of certificates, the entry of the
signature in a log, and somebody trusted who says that it was made while the certificate was valid. Nothing of that is fetched;
it stands beside the artifact and in the roots.

    cosign sign --key cosign.key registry.example.org/acme/check@sha256:...",
    },
    Explanation {
        code: "plugin::bad-key",
        title: "a file is no public key that can be used",
        text: "\
Public keys are for ECDSA on P-256, in PEM, as `cosign generate-key-pair` writes them into `cosign.pub`.",
    },
    Explanation {
        code: "plugin::bad-signer",
        title: "an identity, its issuer or the trusted roots cannot be used",
        text: "\
An identity is written whole, as the certificate has it: an e-mail address, or the address of a workflow with its Git reference.
A `*` stands at its end only, behind a `/` or behind `@refs/`. Trusted roots are a `trusted_root.json` of Sigstore, with an
authority of certificates, a log of certificates and a log of signatures:

    cosign trusted-root create --with-default-services --out trusted_root.json",
    },
    Explanation {
        code: "plugin::bad-reference",
        title: "this names no plugin, or not of the kind that is needed",
        text: "\
A plugin is the name of one inside Sluice, the path of a `.wasm` file, or from outside:

    lint
    ./tools/check.wasm
    oci://registry.example.org/acme/check:1.2@sha256:...
    https://example.org/check.wasm@sha256:...",
    },
    Explanation {
        code: "plan::lock-unreadable",
        title: "the lock cannot be read or written",
        text: "\
`sluice.lock` stands in the workspace, the folder in which workflows are found. It is a regular file of UTF-8 text.",
    },
    Explanation {
        code: "plugin::failed",
        title: "a plugin tried and failed",
        text: "\
The message is the plugin's own. What it logged stands above it, and in the record:

    sluice runs logs --step JOB/STEP",
    },
    Explanation {
        code: "plugin::invalid-input",
        title: "a plugin called its input wrong",
        text: "\
The input has the right type but makes no sense to the plugin. `sluice plugin show NAME` prints what it takes.",
    },
    Explanation {
        code: "plugin::transient",
        title: "a plugin failed for a reason that may pass",
        text: "\
A server was busy or a connection was cut. Running the workflow again may be all that is needed.",
    },
    Explanation {
        code: "plugin::trap",
        title: "a plugin crashed",
        text: "\
The component trapped: it panicked, ran out of stack, or reached code that cannot be reached. Nothing outside its sandbox
was harmed. Tell its author, with the inputs and the version that `sluice plugin show` prints.",
    },
    Explanation {
        code: "plugin::load",
        title: "a component could not be compiled or linked",
        text: "\
The component needs something that this version of Sluice does not offer, or it is broken. `sluice plugin show` prints what
it imports.",
    },
    Explanation {
        code: "plugin::not-found",
        title: "there is no such plugin",
        text: "\
`uses` takes the name of a plugin inside Sluice, or the path of a component relative to the workspace:

    - uses: scan
    - uses: ./vendor/check.wasm",
    },
    Explanation {
        code: "plugin::manifest",
        title: "the manifest of a plugin is wrong",
        text: "\
A manifest names the plugin, its kinds, its inputs and the capabilities it declares, each with a reason:

    name: todo
    version: 0.1.0
    description: Finds forgotten notes.
    kinds: [lint]
    capabilities:
      - files: [\"read .\"]
        reason: the files to check",
    },
    Explanation {
        code: "run::group-busy",
        title: "another run of the same group is under way",
        text: "\
Runs of one `concurrency` group are never under way at once, whatever workspace they are in. This one does not wait, or has waited
as long as it may. The message names the run that is there:

    concurrency: {group: deploy-shop, when-busy: wait, wait-timeout: 30m}",
    },
    Explanation {
        code: "host::group",
        title: "nobody can tell which runs of a group are under way",
        text: "\
Runs of a `concurrency` group find each other in `sluice/groups` of your state folder: XDG_STATE_HOME, or ~/.local/state. It
has to be a folder of yours, on a file system with locks; no link is followed.",
    },
    Explanation {
        code: "host::record",
        title: "a record could not be written or read",
        text: "\
The verdict of the run stands, but it cannot be looked at again in full. Usual reasons: a full disk, a read-only folder,
a file where `.sluice` should be a folder.",
    },
    Explanation {
        code: "host::record-damaged",
        title: "a record is damaged",
        text: "\
A line of `events.jsonl` that is not its last cannot be read, so something other than Sluice changed the file.",
    },
    Explanation {
        code: "host::record-not-plain",
        title: "a symbolic link or special file stands in the place of a record",
        text: "\
Records are plain files in plain folders; nothing is followed out of `.sluice`. Remove what is in the way.",
    },
    Explanation {
        code: "host::record-exists",
        title: "a record with this id is there already",
        text: "\
Two runs began in the same second and drew the same random number. Run again.",
    },
    Explanation {
        code: "host::files",
        title: "files of the workspace could not be read",
        text: "\
`hash.files` reads every file that its globs match before anything runs. Give read access to them, or take them out:

    key: ${{ hash.files(\"src/**\", \"!src/private/\") }}",
    },
    Explanation {
        code: "host::key",
        title: "a key cannot be used or written",
        text: "\
Receipts are signed with ed25519 keys in PEM files, as `sluice keys new FILE` and `openssl genpkey -algorithm ed25519` make them. A
private key that others may read or write is refused, and no file is overwritten.",
    },
    Explanation {
        code: "host::receipt",
        title: "a receipt was not written",
        text: "\
`sluice run --receipt FILE` writes it when the run has ended and is on record. A run that was to leave a receipt and did not exits
with 1 even if its steps passed. `sluice runs sign` writes it later.",
    },
    Explanation {
        code: "host::patch",
        title: "a patch could not be written",
        text: "`sluice grants learn -o FILE` writes a patch. Without `-o` it goes to standard output.",
    },
    Explanation {
        code: "host::internal",
        title: "something went wrong in Sluice itself",
        text: "\
This is our fault. Please report it with the message, the workflow and `sluice --version`. The exit code is 70.",
    },
];
