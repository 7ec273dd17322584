//! What the two processes say to each other: frames of a length (four bytes, little endian) and JSON or bytes.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_model::{Digest, Grants, Limits, PluginRef, StepId};
use sluice_run::StepReport;
use sluice_run::runner::{Action, Said};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest frame, in bytes: machine code is the longest that is sent.
const FRAME_BYTES: u32 = 1 << 30;
/// The longest frame that a worker may send, in bytes; what it says is limited besides.
const REPLY_BYTES: u32 = 64 << 20;

/// What a worker is told once, before the machine code. Two steps whose starts are the same can share a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Start {
    pub workspace: PathBuf,
    pub artifacts: PathBuf,
    pub protected: Vec<String>,
    /// Whether the system can keep a process from them.
    pub protects: bool,
    pub plugin: PluginRef,
    pub digest: Digest,
    pub declared: Vec<sluice_model::grant::Capability>,
    pub grants: Grants,
    /// Those that the step was granted: name, value.
    pub secrets: Vec<(String, String)>,
    /// A folder of this worker alone, which whoever started it removes.
    pub scratch: PathBuf,
    /// The port of a step that serves something.
    pub port: Option<u16>,
    /// Variables that lead to certificates: name, path.
    pub certificates: Vec<(String, String)>,
    /// What programs and the plugin get of the host's environment.
    pub host_env: Vec<(String, String)>,
}

impl Start {
    pub fn host_env(&self) -> HashMap<String, String> {
        self.host_env.iter().cloned().collect()
    }
}

/// What a worker is told while it lives.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    Run(Box<Call>),
    /// The answer to [`Reply::WantSummary`].
    Summary(Value),
    Cancel,
}

/// [`sluice_run::StepCall`] without what only one process can have.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Call {
    pub run: String,
    pub id: StepId,
    pub attempt: u32,
    pub action: Action,
    pub inputs: Value,
    pub outputs_schema: Option<Value>,
    pub grants: Grants,
    pub env: IndexMap<String, String>,
    pub limits: Limits,
    pub stop_timeout_ms: Option<u64>,
    pub port: Option<u16>,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    Said(Said),
    WantSummary,
    /// The step has ended.
    Report(StepReport),
}

pub async fn send(out: &mut (impl AsyncWrite + Unpin), message: &impl Serialize) -> io::Result<()> {
    send_bytes(out, &serde_json::to_vec(message)?).await
}

pub async fn send_bytes(out: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    out.write_all(&length(bytes)?).await?;
    out.write_all(bytes).await?;
    out.flush().await
}

/// `None` at the end. A reply that is no reply is an error.
pub async fn receive<T: DeserializeOwned>(input: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length);
    if length > REPLY_BYTES {
        return Err(io::Error::other("it sent too much at once"));
    }
    let mut bytes = vec![0; length as usize];
    input.read_exact(&mut bytes).await?;
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// The side of the worker, which has threads of its own for this.
pub fn send_blocking(out: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    out.write_all(&length(&bytes)?)?;
    out.write_all(&bytes)?;
    out.flush()
}

/// The bytes of the next frame; `None` at the end.
pub fn receive_blocking(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    input.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

fn length(bytes: &[u8]) -> io::Result<[u8; 4]> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= FRAME_BYTES);
    length.map(u32::to_le_bytes).ok_or_else(|| io::Error::other("a frame is longer than 1 GiB"))
}
