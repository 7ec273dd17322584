//! Secrets on their way out: where a request really goes, and what it carries in place of stand-ins.

use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use sluice_capability_secrets::Placeholders;
use sluice_model::grant::{Capability, HttpGrant, HttpTarget, Origin, Scheme, SecretGrant};
use sluice_model::{Denial, Ruling};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::basic;
use crate::hooks::Hooks;

/// The secrets of one step, and where it may send them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Injection {
    pub granted: Arc<[SecretGrant]>,
    pub placeholders: Placeholders,
}

/// Where a request really goes.
pub struct Address {
    pub target: HttpTarget,
    /// As it goes over the wire.
    pub path_and_query: String,
    /// The secret whose value is the whole URL.
    pub url_secret: Option<String>,
    /// Where it goes, in words without any value.
    pub shown: String,
    /// Secrets in path and query.
    secrets: Vec<String>,
}

impl Address {
    /// Reads where a request goes, with values in place of stand-ins.
    ///
    /// # Errors
    /// Has been told as a denial, without any value.
    pub fn read(hooks: &Hooks, request: &Request<WasiBody>) -> Result<Self, Error> {
        let (method, uri) = (request.method(), request.uri());
        let scheme = if uri.scheme() == Some(&http::uri::Scheme::HTTPS) { Scheme::Https } else { Scheme::Http };
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let placeholders = &hooks.injection.placeholders;
        if let Some((name, value)) = placeholders.exactly(authority) {
            let shown = format!("{method} to the URL in the secret `{name}`");
            let address = url_in(method, &name, &value, path, shown.clone());
            return address.map_err(|why| hooks.refuse(shown, why));
        }
        let (front, query) = path.split_once('?').map_or((path, None), |(front, query)| (front, Some(query)));
        let name_only = |name: &str, _: &str| format!("{{{name}}}");
        let shown_path = placeholders.replace(front, name_only).map_or_else(|| front.to_owned(), |(text, _)| text);
        let refuse = |why: String| hooks.refuse(format!("{method} {}://{authority}{shown_path}", scheme.as_str()), why);
        if [Method::CONNECT, Method::TRACE].contains(method) {
            return Err(refuse(format!("the method `{method}` is never sent")));
        }
        if placeholders.replace(authority, name_only).is_some() {
            return Err(refuse(
                "a secret stands for a whole URL, or in a path, a query or a header; it is no part of a host".into(),
            ));
        }
        let (front, mut secrets) = placeholders
            .replace(front, |_, value| percent_encoded(value, b":@"))
            .unwrap_or_else(|| (front.to_owned(), Vec::new()));
        let query = query.map(|query| match placeholders.replace(query, |_, value| percent_encoded(value, b"")) {
            Some((query, names)) => {
                secrets.extend(names);
                query
            }
            None => query.to_owned(),
        });
        let target = HttpTarget::parse(method.as_str(), scheme, authority, &front).map_err(refuse)?;
        // `?query` alone is a valid path in a URL, and not in the first line of a request.
        let slash = if front.starts_with('/') { "" } else { "/" };
        let path_and_query = format!("{slash}{front}{}", query.map(|query| format!("?{query}")).unwrap_or_default());
        let shown = HttpTarget { path: shown_path.clone(), ..target.clone() }.to_string();
        Ok(Self { target, path_and_query, url_secret: None, shown, secrets })
    }

    /// Whether a grant allows the request.
    pub fn is_allowed_by(&self, grant: &HttpGrant) -> bool {
        let in_secret = self.url_secret.as_ref();
        grant.allows(&self.target) || in_secret.is_some_and(|name| grant.allows_url_in(name, &self.target.method))
    }

    /// The narrowest grant that would allow the request.
    pub fn grant(&self) -> HttpGrant {
        match &self.url_secret {
            Some(name) => HttpGrant::for_url_in(name, &self.target.method),
            None => HttpGrant::for_origin(&self.target),
        }
    }

    /// Refuses to send secrets where they may not go, and remembers those that are sent.
    pub fn check_secrets(&self, hooks: &Hooks, in_headers: &[String]) -> Result<(), Error> {
        let origin = self.target.origin();
        for name in self.secrets.iter().chain(in_headers) {
            let deny = |why: &str, grant: Option<String>| {
                let asked = format!("sending the secret `{name}` with {}", self.shown);
                hooks.audit.deny(Denial { capability: Capability::Secrets, asked, why: Some(why.into()), grant });
                Err(Error::HttpRequestDenied)
            };
            if hooks.granted.iter().any(|grant| grant.secret() == Some(name.as_str())) {
                return deny("its value is a URL, and goes nowhere but there", None);
            }
            if !hooks.injection.may_go(name, &origin) {
                let grant = self.url_secret.is_none().then(|| format!("{name} @ {origin}"));
                return deny("it is kept to other origins", grant);
            }
        }
        if let Some(name) = self.url_secret.as_ref().filter(|name| !hooks.injection.may_go(name, &origin)) {
            return Err(hooks.refuse(self.shown.clone(), format!("the secret `{name}` is kept to other origins")));
        }
        for name in self.secrets.iter().chain(in_headers).chain(&self.url_secret) {
            let asked = format!("sending the secret `{name}` with {}", self.shown);
            // Where the URL in a secret leads is not for the record either.
            let ruling = Ruling::allowed(Capability::Secrets, asked, name);
            hooks.audit.decide(match self.url_secret {
                Some(_) => ruling,
                None => ruling.detail("to", origin.to_string()),
            });
            hooks.injection.placeholders.sent(name);
        }
        Ok(())
    }
}

impl Injection {
    fn may_go(&self, name: &str, origin: &Origin) -> bool {
        self.granted.iter().any(|grant| grant.name == name && grant.goes_to(origin))
    }
}

/// The address that is the value of a secret. The error never holds any of it.
fn url_in(method: &Method, name: &str, value: &str, path: &str, shown: String) -> Result<Address, String> {
    if [Method::CONNECT, Method::TRACE].contains(method) {
        return Err(format!("the method `{method}` is never sent"));
    }
    if !["", "/"].contains(&path) {
        return Err("the URL in a secret is used as it is; nothing may follow it".into());
    }
    let bad = |what: &str| Err(format!("the value of the secret `{name}` {what}"));
    let Some((scheme, rest)) = value.split_once("://") else { return bad("is no `http` or `https` URL") };
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return bad("is no `http` or `https` URL"),
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return bad("is a URL with a user name or password, which is not sent");
    }
    if path.bytes().any(|byte| !byte.is_ascii_graphic()) || path.contains('#') {
        return bad("is a URL with a character that no URL in a request has");
    }
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let Ok(target) = HttpTarget::parse(method.as_str(), scheme, authority, &path) else {
        return bad("is a URL whose host is not in its usual form");
    };
    Ok(Address { target, path_and_query: path, url_secret: Some(name.to_owned()), shown, secrets: Vec::new() })
}

/// The port of the server whose URL is the value of a secret; `None` if it is no such URL.
pub fn port_in(value: &str) -> Option<u16> {
    url_in(&Method::GET, "", value, "", String::new()).ok().map(|address| address.target.port)
}

/// Everything but what means nothing anywhere in a URL (RFC 3986, section 2.3) and what is `kept`.
fn percent_encoded(value: &str, kept: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte);
    value.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Replaces stand-ins in the values of headers, and gives the names of the secrets.
///
/// # Errors
/// A value that no header can carry; told as a denial, without the value.
pub fn headers(hooks: &Hooks, headers: &mut HeaderMap, shown: &str) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for (name, value) in headers.iter_mut() {
        let Some((revealed, secrets)) = value.to_str().ok().and_then(|text| reveal(hooks, name, text)) else {
            continue;
        };
        let refuse =
            |why: &str| hooks.refuse(shown.to_owned(), format!("{} in the header `{name}` {why}", list(&secrets)));
        if *name == header::CONTENT_LENGTH {
            return Err(refuse("would change how much is sent"));
        }
        if revealed.chars().any(char::is_control) {
            return Err(refuse("is not one line of text"));
        }
        *value = HeaderValue::try_from(revealed).map_err(|_| refuse("is not one line of text"))?;
        value.set_sensitive(true);
        found.extend(secrets);
    }
    Ok(found)
}

fn list(secrets: &[String]) -> String {
    let names: Vec<String> = secrets.iter().map(|name| format!("the secret `{name}`")).collect();
    names.join(" and ")
}

fn reveal(hooks: &Hooks, name: &HeaderName, text: &str) -> Option<(String, Vec<String>)> {
    let plainly = |text: &str| hooks.injection.placeholders.replace(text, |_, value| value.to_owned());
    let within = || {
        if *name != header::AUTHORIZATION {
            return None;
        }
        let (revealed, secrets) = plainly(&basic::credentials(text)?)?;
        // What no password may hold must not hide in base64 either.
        let whole = if revealed.chars().any(char::is_control) { revealed } else { basic::header(&revealed) };
        Some((whole, secrets))
    };
    plainly(text).or_else(within)
}
