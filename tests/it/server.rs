//! A small HTTP or HTTPS server on loopback that remembers what it was asked.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

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
        Self::serve("http", address, say(in_turn(responses)), Some)
    }

    /// Answers each request with the text after `HTTP/1.1 ` that is made for it.
    pub fn with(answer: impl Fn(&Request) -> String + Send + 'static) -> Self {
        Self::serve("http", Ipv4Addr::LOCALHOST.into(), say(answer), Some)
    }

    /// One that means ill.
    pub fn hostile(how: Misdeed) -> Self {
        let does = move |_: &Request, stream: &mut TcpStream| how.send(stream);
        Self::serve("http", Ipv4Addr::LOCALHOST.into(), does, Some)
    }

    /// The same over TLS.
    pub fn start_tls(responses: &[&str], config: ServerConfig) -> Self {
        let config = Arc::new(config);
        Self::serve("https", Ipv4Addr::LOCALHOST.into(), say(in_turn(responses)), move |stream| {
            Some(StreamOwned::new(ServerConnection::new(config.clone()).ok()?, stream))
        })
    }

    /// `open` makes of a connection what requests are read from; `respond` writes the answer.
    fn serve<S: Read + Write>(
        scheme: &'static str,
        address: IpAddr,
        respond: impl Fn(&Request, &mut S) -> io::Result<()> + Send + 'static,
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
                seen.lock().unwrap().push(request.clone());
                // Who asked may be gone.
                let _ = respond(&request, &mut stream);
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

/// What a server does to who asks it, until the other side has had enough.
#[derive(Debug, Clone, Copy)]
pub enum Misdeed {
    /// A body without an end.
    EndlessBody,
    /// A head of which a byte comes now and then.
    SlowHead,
    /// A body of which a byte comes now and then.
    SlowBody,
    /// One field of the head that never ends.
    LongHead,
    /// Many fields in the head.
    ManyFields,
}

impl Misdeed {
    /// Between the bytes of one that is slow.
    const PAUSE: Duration = Duration::from_millis(20);
    const FIELDS: usize = 100_000;

    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "an endless body" => Self::EndlessBody,
            "a slow head" => Self::SlowHead,
            "a slow body" => Self::SlowBody,
            "a long head" => Self::LongHead,
            "many fields" => Self::ManyFields,
            _ => return None,
        })
    }

    fn send(self, stream: &mut impl Write) -> io::Result<()> {
        stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
        match self {
            Self::EndlessBody => {
                stream.write_all(b"\r\n")?;
                loop {
                    stream.write_all(&[b'x'; 1 << 16])?;
                }
            }
            Self::SlowHead => loop {
                stream.write_all(b"X: y\r\n")?;
                thread::sleep(Self::PAUSE);
            },
            Self::SlowBody => {
                stream.write_all(b"\r\n")?;
                loop {
                    stream.write_all(b"x")?;
                    thread::sleep(Self::PAUSE);
                }
            }
            Self::LongHead => {
                stream.write_all(b"X: ")?;
                loop {
                    stream.write_all(&[b'x'; 1 << 12])?;
                }
            }
            Self::ManyFields => {
                for field in 0..Self::FIELDS {
                    write!(stream, "X-{field}: y\r\n")?;
                }
                stream.write_all(b"Content-Length: 0\r\n\r\n")
            }
        }
    }
}

/// Writes the text after `HTTP/1.1 ` that is made for a request.
fn say<S: Write>(answer: impl Fn(&Request) -> String + Send) -> impl Fn(&Request, &mut S) -> io::Result<()> + Send {
    move |request, stream| {
        write!(stream, "HTTP/1.1 {}", answer(request))?;
        stream.flush()
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
