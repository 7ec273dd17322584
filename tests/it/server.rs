//! A small HTTP or HTTPS server on loopback that remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

pub struct Server {
    scheme: &'static str,
    pub address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Server {
    /// Answers the n-th request with the n-th response; the last one again and again. A response is the whole text
    /// after `HTTP/1.1 `.
    pub fn start(responses: &[&str]) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), responses)
    }

    /// The same at another address of this machine.
    pub fn start_at(address: IpAddr, responses: &[&str]) -> Self {
        Self::serve("http", address, in_turn(responses), Some)
    }

    /// Answers each request with the text after `HTTP/1.1 ` that is made for it.
    pub fn with(answer: impl Fn(&Request) -> String + Send + 'static) -> Self {
        Self::serve("http", Ipv4Addr::LOCALHOST.into(), answer, Some)
    }

    /// The same over TLS.
    pub fn start_tls(responses: &[&str], config: ServerConfig) -> Self {
        let config = Arc::new(config);
        Self::serve("https", Ipv4Addr::LOCALHOST.into(), in_turn(responses), move |stream| {
            Some(StreamOwned::new(ServerConnection::new(config.clone()).ok()?, stream))
        })
    }

    /// `open` makes of a connection what requests are read from.
    fn serve<S: Read + Write>(
        scheme: &'static str,
        address: IpAddr,
        answer: impl Fn(&Request) -> String + Send + 'static,
        open: impl Fn(TcpStream) -> Option<S> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(mut stream) = open(stream.unwrap()) else { continue };
                let Some(request) = read_request(&mut stream) else { continue };
                let response = answer(&request);
                seen.lock().unwrap().push(request);
                let _ = write!(stream, "HTTP/1.1 {response}");
                let _ = stream.flush();
            }
        });
        Self { scheme, address, requests }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    pub fn port(&self) -> &str {
        self.address.rsplit(':').next().unwrap()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// One response after the other; the last one again and again.
fn in_turn(responses: &[&str]) -> impl Fn(&Request) -> String + Send + use<> {
    let responses: Vec<String> = responses.iter().map(|&text| text.to_owned()).collect();
    let answered = Mutex::new(0);
    move |_| {
        let mut answered = answered.lock().unwrap();
        *answered += 1;
        responses[(*answered - 1).min(responses.len() - 1)].clone()
    }
}

/// An answer with a body.
pub const OK: &str = "200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

fn read_request(stream: impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Request { method, path, headers, body: String::new() };
    let chunked = request.header("transfer-encoding").is_some_and(|value| value == "chunked");
    let length = request.header("content-length").and_then(|value| value.parse::<usize>().ok());
    let mut body = Vec::new();
    if chunked {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    } else {
        body = vec![0; length.unwrap_or_default()];
        reader.read_exact(&mut body).ok()?;
    }
    request.body = String::from_utf8_lossy(&body).into_owned();
    Some(request)
}
