//! A task that does what its input `do` says, as badly as it can. `with` holds what to do it with.

wit_bindgen::generate!({
    path: "../../../../wit",
    world: "task-plugin",
    generate_all,
});

use exports::sluice::plugin::task::Guest;
use sluice::host::artifacts::{Error as ArtifactError, Reader, Writer};
use sluice::host::exec::{Command, Error as ExecError, Status};
use sluice::host::secrets;
use sluice::plugin::types::{Explanation, Failure, Finding, Level, Severity, Sink, Step, TransientFailure};
use wasi::http::outgoing_handler::{self, OutgoingRequest};
use wasi::http::types::{Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, RequestOptions, Scheme};
use wasi::io::streams::StreamError;

struct Task;

export!(Task);

impl Guest for Task {
    fn run(step: &Step, sink: &Sink) -> Result<(), Failure> {
        // The tests give flat objects of strings without escapes.
        let inputs = step.inputs();
        let strings: Vec<&str> = inputs.split('"').skip(1).step_by(2).collect();
        let input = |name: &str| {
            strings.iter().position(|it| *it == name).and_then(|i| strings.get(i + 1)).copied().unwrap_or_default()
        };
        run(step, sink, input("do"), input("with")).map_err(|text| match text.split_once(' ') {
            Some(("invalid", text)) => Failure::InvalidInput(explain(text)),
            Some(("transient", text)) => {
                Failure::Transient(TransientFailure { explanation: explain(text), retry_after_ms: Some(1500) })
            }
            _ => Failure::Failed(explain(&text)),
        })
    }
}

fn explain(message: &str) -> Explanation {
    Explanation { message: message.to_owned(), help: None }
}

fn run(step: &Step, sink: &Sink, misdeed: &str, with: &str) -> Result<(), String> {
    match misdeed {
        "nothing" => {}
        "fail" => return Err(with.to_owned()),
        "say" => sink.log(Level::Info, with),
        "output" => {
            let (name, value) = with.split_once('=').ok_or("no `=`")?;
            // Quotes do not survive the test's plain reader of JSON.
            sink.output(name, &value.replace('\'', "\"")).map_err(|failure| format!("{failure:?}"))?;
        }
        "files" => {
            let files = step.files(&[with.to_owned()]).map_err(|failure| format!("{failure:?}"))?;
            sink.log(Level::Info, &files.join(" "));
        }
        "flood-log" => loop {
            sink.log(Level::Info, "0123456789");
        },
        "flood-findings" => loop {
            sink.findings(&vec![finding(with); 100]);
        },
        "flood-progress" => {
            for i in 0..1_000_000 {
                sink.progress(i, None, with);
            }
        }
        "huge-string" => sink.log(Level::Info, &"x".repeat(100 << 20)),
        "handles" => {
            let commands: Vec<Command> = (0..200_000).map(|_| Command::new(with)).collect();
            sink.log(Level::Info, &commands.len().to_string());
        }
        "wait-for-cancel" => {
            sink.log(Level::Info, "waiting");
            while !step.cancelled() {
                wasi::clocks::monotonic_clock::subscribe_duration(1_000_000).block();
            }
            sink.log(Level::Info, "cancelled, tidying up");
            return Err("cancelled".into());
        }
        "get" => {
            let (status, body) = http(Method::Get, with, &[])?;
            sink.log(Level::Info, &format!("{status} {}", String::from_utf8_lossy(&body)));
        }
        // Follows one redirect, as a client library in the guest would.
        "get-follow" => {
            let (status, location) = http_head(with)?;
            sink.log(Level::Info, &format!("{status} to {location}"));
            let (status, body) = http(Method::Get, &location, &[])?;
            sink.log(Level::Info, &format!("{status} {}", String::from_utf8_lossy(&body)));
        }
        "get-secret" => {
            let (name, url) = with.split_once(' ').ok_or("no space")?;
            let stand_in = secrets::placeholder(name).map_err(secret)?;
            sink.log(Level::Info, &format!("I hold {}", stand_in.split('-').next().unwrap_or_default()));
            let (status, body) = http(Method::Get, url, &[("authorization", &format!("Bearer {stand_in}"))])?;
            sink.log(Level::Info, &format!("{status} {}", String::from_utf8_lossy(&body)));
        }
        // `NAME URL HEADER=VALUE...`, with `{}` for the stand-in and `{basic}` for `user:` and it in base64.
        "send-secret" => {
            let mut words = with.split(' ');
            let name = words.next().unwrap_or_default();
            let stand_in = secrets::placeholder(name).map_err(secret)?;
            let basic = base64(format!("user:{stand_in}").as_bytes());
            let fill = |text: &str| text.replace("{}", &stand_in).replace("{basic}", &basic);
            let url = fill(words.next().unwrap_or_default());
            let headers: Vec<(String, String)> =
                words.filter_map(|word| word.split_once('=')).map(|(name, value)| (name.into(), fill(&value.replace('_', " ")))).collect();
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let response = send(Method::Get, &url, &headers)?;
            let back = response.headers().get("x-back").into_iter().next().unwrap_or_default();
            let (status, body) = (response.status(), body(response)?);
            // What came in is told backwards, so that it is not the log that masks it.
            let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().rev().collect::<String>();
            sink.log(Level::Info, &format!("{status} {} | {}", told(&back), told(&body).replace(&*told(stand_in.as_bytes()), "NI-DNATS")));
        }
        // Sends a stand-in in the body.
        "body-secret" => {
            let (name, url) = with.split_once(' ').ok_or("no space")?;
            let stand_in = secrets::placeholder(name).map_err(secret)?;
            let (status, body) = post(url, stand_in.as_bytes())?;
            sink.log(Level::Info, &format!("{status} {}", String::from_utf8_lossy(&body).replace(&stand_in, "STAND-IN")));
        }
        // `NAME HOW`
        "reveal" => {
            let (name, how) = with.split_once(' ').ok_or("no space")?;
            let value = secrets::reveal(name).map_err(secret)?;
            sink.log(Level::Info, &format!("{} bytes", value.len()));
            let publish = |pieces: &[&[u8]]| {
                let writer = Writer::start("a.txt", "text/plain").map_err(artifact)?;
                let mut refused = None;
                for piece in pieces {
                    // Goes on, whatever the host says.
                    refused = writer.write(piece).map_err(artifact).err().or(refused);
                }
                let finished = Writer::finish(writer).map_err(artifact);
                sink.log(Level::Info, &format!("{refused:?} {}", finished.is_ok()));
                Ok::<(), String>(())
            };
            let (front, back) = value.split_at(value.len() / 2);
            match how {
                "log" => sink.log(Level::Info, &value),
                "output" => sink.output("it", &format!("\"{value}\"")).map_err(|failure| format!("{failure:?}"))?,
                "finding" => sink.findings(&[finding(&value)]),
                "fail" => return Err(format!("it is {value}")),
                "artifact" => publish(&[b"a ", value.as_bytes(), b" b"])?,
                "pieces" => publish(&[front.as_bytes(), back.as_bytes()])?,
                "base64" => publish(&[base64(format!("x{value}").as_bytes()).as_bytes()])?,
                "other" => publish(&[b"nothing of it"])?,
                "name" => drop(Writer::start(&value, "text/plain").map(Writer::finish)),
                other => return Err(format!("unknown way `{other}`")),
            }
        }
        "host-header" => {
            http(Method::Get, with, &[("host", "evil.example")])?;
        }
        // `URL NAME=VALUE...`, with `_` for a space and `~` for the end of a line.
        "headers" => {
            let mut words = with.split(' ');
            let url = words.next().unwrap_or_default();
            let headers: Vec<(&str, String)> =
                words.filter_map(|word| word.split_once('=')).map(|(name, value)| (name, raw(value))).collect();
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let (status, _) = http(Method::Get, url, &headers)?;
            sink.log(Level::Info, &format!("{status}"));
        }
        // `AUTHORITY PATH`, spelled in the same way; the path as it stands.
        "path" => {
            let (authority, path) = with.split_once(' ').ok_or("no space")?;
            let (status, _) = answer(request(Method::Get, &Scheme::Http, authority, &raw(path), Fields::new())?, None, b"")
                .and_then(|response| Ok((response.status(), body(response)?)))?;
            sink.log(Level::Info, &format!("{status}"));
        }
        "long-url" => {
            let (status, _) = http(Method::Get, &format!("{with}{}", "x".repeat(64 << 10)), &[])?;
            sink.log(Level::Info, &format!("{status}"));
        }
        // `URL NANOSECONDS`
        "patience" => {
            let (url, time) = with.split_once(' ').ok_or("no space")?;
            let time = time.parse().map_err(|_| "no number")?;
            let options = RequestOptions::new();
            options.set_connect_timeout(Some(time)).map_err(|()| "connect timeout")?;
            options.set_first_byte_timeout(Some(time)).map_err(|()| "first byte timeout")?;
            options.set_between_bytes_timeout(Some(time)).map_err(|()| "between bytes timeout")?;
            let (scheme, authority, path) = parts(url)?;
            let response = answer(request(Method::Get, &scheme, authority, path, Fields::new())?, Some(options), b"")?;
            sink.log(Level::Info, &format!("{} {}", response.status(), body(response)?.len()));
        }
        "poll" => wasi::clocks::monotonic_clock::subscribe_duration(u64::MAX).block(),
        "exec" => {
            let mut words = with.split(' ').map(str::to_owned);
            let command = Command::new(&words.next().unwrap_or_default());
            command.args(&words.collect::<Vec<_>>());
            finish(sink, &command)?;
        }
        "shell" => {
            let command = Command::new("sh");
            command.args(&["-c".to_owned(), with.to_owned()]);
            finish(sink, &command)?;
        }
        "exec-limited" => {
            let command = Command::new("sleep");
            command.args(&[with.to_owned()]);
            command.time_limit(300);
            finish(sink, &command)?;
        }
        "exec-quiet" => {
            let command = Command::new("echo");
            command.args(&[with.to_owned()]);
            command.quiet();
            finish(sink, &command)?;
            sink.log(Level::Info, &format!("{} bytes unheard", command.stdout().len()));
        }
        "time-left" => {
            let first = step.time_left();
            wasi::clocks::monotonic_clock::subscribe_duration(20_000_000).block();
            sink.log(Level::Info, &format!("{} {}", first <= 20_000 && first > 10_000, step.time_left() + 20 <= first));
        }
        "exec-in" => {
            let command = Command::new("pwd");
            command.directory(with);
            finish(sink, &command)?;
        }
        "exec-preload" => {
            let command = Command::new("env");
            command.env("LD_PRELOAD", with);
            finish(sink, &command)?;
        }
        "exec-secret" => {
            let command = Command::new("env");
            command.env_secret("TOKEN", with);
            finish(sink, &command)?;
        }
        "publish" => {
            let writer = Writer::start("a.txt", "text/plain").map_err(artifact)?;
            writer.write(with.as_bytes()).map_err(artifact)?;
            let digest = Writer::finish(writer).map_err(artifact)?;
            sink.log(Level::Info, &digest);
        }
        "publish-half" => {
            let writer = Writer::start("a.txt", "text/plain").map_err(artifact)?;
            writer.write(with.as_bytes()).map_err(artifact)?;
            panic!("before the end");
        }
        "fetch" => {
            let reader = Reader::open(with).map_err(artifact)?;
            let bytes = reader.read(u64::MAX).map_err(artifact)?;
            sink.log(Level::Info, &String::from_utf8_lossy(&bytes));
        }
        other => return Err(format!("unknown misdeed `{other}`")),
    }
    Ok(())
}

fn finding(message: &str) -> Finding {
    Finding {
        rule: "hostile/flood".into(),
        severity: Severity::Info,
        message: message.to_owned(),
        span: None,
        help: None,
        fix: None,
        properties: Vec::new(),
    }
}

fn secret(error: secrets::Error) -> String {
    match error {
        secrets::Error::Denied(text) | secrets::Error::NotFound(text) => text,
    }
}

/// What does not survive in a test's text: `_` for a space, `~` for the end of a line.
fn raw(text: &str) -> String {
    text.replace('_', " ").replace('~', "\r\n")
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let six = bits >> (18 - 6 * place) & 63;
            text.push(if place <= group.len() { char::from(ALPHABET[six as usize]) } else { '=' });
        }
    }
    text
}

fn artifact(error: ArtifactError) -> String {
    match error {
        ArtifactError::Denied(text) | ArtifactError::NotFound(text) | ArtifactError::Failed(text) => text,
    }
}

fn finish(sink: &Sink, command: &Command) -> Result<(), String> {
    match command.run() {
        Ok(Status::Exited(0)) => Ok(()),
        Ok(status) => {
            sink.log(Level::Info, &format!("{status:?}"));
            Err(format!("{status:?}"))
        }
        Err(ExecError::Denied(text) | ExecError::NotFound(text) | ExecError::Failed(text)) => Err(text),
    }
}

/// Sends a request and waits for the head of the answer.
fn send(method: Method, url: &str, headers: &[(&str, &str)]) -> Result<IncomingResponse, String> {
    send_body(method, url, headers, b"")
}

fn post(url: &str, bytes: &[u8]) -> Result<(u16, Vec<u8>), String> {
    let response = send_body(Method::Post, url, &[], bytes)?;
    Ok((response.status(), body(response)?))
}

fn send_body(method: Method, url: &str, headers: &[(&str, &str)], bytes: &[u8]) -> Result<IncomingResponse, String> {
    let (scheme, authority, path) = parts(url)?;
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).map_err(|error| format!("header `{name}`: {error:?}"))?;
    }
    answer(request(method, &scheme, authority, path, fields)?, None, bytes)
}

fn parts(url: &str) -> Result<(Scheme, &str, &str), String> {
    let (scheme, rest) = match url.split_once("://") {
        Some(("https", rest)) => (Scheme::Https, rest),
        Some((_, rest)) => (Scheme::Http, rest),
        None => return Err(format!("`{url}` is not a URL")),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Ok((scheme, authority, if path.is_empty() { "/" } else { path }))
}

fn request(
    method: Method,
    scheme: &Scheme,
    authority: &str,
    path: &str,
    fields: Fields,
) -> Result<OutgoingRequest, String> {
    let request = OutgoingRequest::new(fields);
    request.set_method(&method).map_err(|()| "method")?;
    request.set_scheme(Some(scheme)).map_err(|()| "scheme")?;
    request.set_authority(Some(authority)).map_err(|()| "authority")?;
    request.set_path_with_query(Some(path)).map_err(|()| "path")?;
    Ok(request)
}

/// Sends a request with a body and waits for the head of the answer.
fn answer(
    request: OutgoingRequest,
    options: Option<RequestOptions>,
    bytes: &[u8],
) -> Result<IncomingResponse, String> {
    let body = request.body().map_err(|()| "body")?;
    let answer = outgoing_handler::handle(request, options).map_err(|error| format!("{error:?}"))?;
    if !bytes.is_empty() {
        let stream = body.write().map_err(|()| "write")?;
        stream.blocking_write_and_flush(bytes).map_err(|error| format!("{error:?}"))?;
    }
    OutgoingBody::finish(body, None).map_err(|error| format!("{error:?}"))?;
    answer.subscribe().block();
    answer.get().ok_or("no answer")?.map_err(|()| "taken")?.map_err(|error| format!("{error:?}"))
}

fn http(method: Method, url: &str, headers: &[(&str, &str)]) -> Result<(u16, Vec<u8>), String> {
    let response = send(method, url, headers)?;
    Ok((response.status(), body(response)?))
}

fn body(response: IncomingResponse) -> Result<Vec<u8>, String> {
    let incoming: IncomingBody = response.consume().map_err(|()| "consumed")?;
    let stream = incoming.stream().map_err(|()| "stream")?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(format!("after {} bytes: {}", bytes.len(), error.to_debug_string()));
            }
        }
    }
}

fn http_head(url: &str) -> Result<(u16, String), String> {
    let response = send(Method::Get, url, &[])?;
    let location = response.headers().get("location").into_iter().next().unwrap_or_default();
    Ok((response.status(), String::from_utf8_lossy(&location).into_owned()))
}
