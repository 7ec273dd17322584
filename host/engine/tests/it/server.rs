//! A small HTTP server on the loopback that can misbehave.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Serves until the tests end; answers by path.
pub fn start() -> SocketAddr {
    start_recording().0
}

/// The same, and everything that it was sent.
pub fn start_recording() -> (SocketAddr, Arc<Mutex<String>>) {
    let heard = Arc::new(Mutex::new(String::new()));
    let all = heard.clone();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let all = all.clone();
            std::thread::spawn(move || {
                // A client that goes away is none of the server's business.
                let _ = serve(stream, &all);
            });
        }
    });
    (address, heard)
}

fn serve(mut stream: TcpStream, all: &Mutex<String>) -> std::io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone()?);
    while reader.read_line(&mut head)? > 2 {}
    if head.to_lowercase().contains("transfer-encoding: chunked") {
        while reader.read_line(&mut head)? > 0 && !head.ends_with("\r\n0\r\n") {}
    }
    all.lock().unwrap().push_str(&head);
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    if let Some(to) = path.strip_prefix("/redirect/") {
        let to = to.replace("__", "://");
        return write!(stream, "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
    }
    match path.split('?').next().unwrap_or_default() {
        "/echo" => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}", head.len())
        }
        // Says back, in a header and in two pieces of the body, what it was sent.
        "/back" => {
            let said = head.lines().find_map(|line| line.strip_prefix("x-say: ")).unwrap_or_default();
            let (front, back) = said.split_at(said.len() / 2);
            write!(stream, "HTTP/1.1 200 OK\r\nx-back: {said}\r\ncontent-length: {}\r\n\r\n{front}", said.len())?;
            stream.flush()?;
            std::thread::sleep(Duration::from_millis(20));
            write!(stream, "{back}")
        }
        "/endless" => {
            write!(stream, "HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                stream.write_all(&[b'x'; 1 << 16])?;
            }
        }
        "/drip" => {
            write!(stream, "HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                stream.write_all(b"x")?;
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        "/silence" => {
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        "/big-head" => {
            write!(stream, "HTTP/1.1 200 OK\r\n")?;
            loop {
                write!(stream, "x-filler: {}\r\n", "y".repeat(1000))?;
            }
        }
        _ => write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"),
    }
}
