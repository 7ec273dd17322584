use std::fmt;
use std::sync::Arc;

use http::{HeaderName, header};
use sluice_model::grant::{Capability, HttpGrant};
use sluice_model::{Audit, Denial};
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView,
    WasiHttpHooks, WasiHttpView,
};

use crate::{Injection, send, tls};

/// What one step may do over HTTP.
pub struct Http {
    context: WasiHttpCtx,
    hooks: Hooks,
}

/// Cheap to clone: a request outlives the call that starts it.
#[derive(Clone)]
pub(crate) struct Hooks {
    pub granted: Arc<[HttpGrant]>,
    /// The largest body of a response, in bytes.
    pub body_limit: u64,
    pub audit: Audit,
    pub injection: Injection,
}

impl Hooks {
    /// Something that no grant can allow, and that must not be sent.
    pub fn refuse(&self, asked: String, why: String) -> Error {
        self.audit.deny(Denial { capability: Capability::Http, asked, why: Some(why), grant: None });
        Error::HttpRequestDenied
    }
}

impl Http {
    pub fn new(granted: &[HttpGrant], body_limit: u64, audit: Audit, injection: Injection) -> Self {
        Self { context: WasiHttpCtx::new(), hooks: Hooks { granted: granted.into(), body_limit, audit, injection } }
    }

    /// What [`WasiHttpView`] asks for.
    pub fn view<'a>(&'a mut self, table: &'a mut ResourceTable) -> WasiHttpCtxView<'a> {
        WasiHttpCtxView { ctx: &mut self.context, table, hooks: &mut self.hooks }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("granted", &self.hooks.granted).finish_non_exhaustive()
    }
}

/// Adds `wasi:http/types` and `wasi:http/outgoing-handler`; `wasi:io` must be there already.
pub fn add_to_linker<T: WasiHttpView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}

/// Headers that are the connection's and not the plugin's.
fn is_forbidden(name: &HeaderName) -> bool {
    DEFAULT_FORBIDDEN_HEADERS.contains(name)
        || [header::TE, header::TRAILER, header::EXPECT].contains(name)
        || name.as_str().starts_with("proxy-")
}

type Answer = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Hooks {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        is_forbidden(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(is_forbidden)
    }

    /// A certificate that is not accepted is told apart from a connection that merely failed: it stays refused.
    fn p2_error_from_tls(&mut self, error: &std::io::Error) -> ErrorCode {
        if tls::refused_certificate(error) { ErrorCode::TlsCertificateError } else { ErrorCode::TlsProtocolError }
    }

    /// The sender writes it, from the target that was checked.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer, Error>> + Send> {
        let hooks = self.clone();
        Box::new(async move {
            let response = send::send(&hooks, request, options.unwrap_or_default()).await?;
            let nothing_more: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(async { Ok(()) });
            Ok((response, nothing_more))
        })
    }
}
