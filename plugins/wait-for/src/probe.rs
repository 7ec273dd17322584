//! One attempt.

use std::io::ErrorKind;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use sluice_sdk::Failure;
use sluice_sdk::exec::{Command, Error as ExecError};
use sluice_sdk::http::{Error as HttpError, Request};
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::io::poll::poll;
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

use crate::goal::Goal;

/// What an attempt came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Attempt {
    Ready,
    /// Another attempt may do better; the reason completes "not yet: ".
    NotYet(String),
    /// No attempt will do better.
    Never(Failure),
}

/// The most that is read of an answer, in bytes.
const ANSWER: usize = 1 << 20;

/// Tries once, for at most `limit`.
pub fn probe(goal: &Goal, limit: Duration) -> Attempt {
    match goal {
        Goal::Tcp { host, port } => tcp(host, *port, limit),
        Goal::Http { url, statuses, .. } => http(url, statuses, limit),
        Goal::Exec(command) => exec(command, limit),
        Goal::File(path) => file(path),
    }
}

fn tcp(host: &str, port: u16, limit: Duration) -> Attempt {
    let addresses: Vec<SocketAddr> = match (host, port).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return denied(host, port),
        Err(_) => return Attempt::NotYet("the name of the server is unknown".into()),
    };
    let mut reason = "the name of the server leads to no address".to_owned();
    for address in addresses {
        match connect(address, limit) {
            Ok(()) => return Attempt::Ready,
            Err(ErrorCode::AccessDenied) => return denied(host, port),
            Err(error) => reason = connection_reason(error, limit),
        }
    }
    Attempt::NotYet(reason)
}

/// Through WASI itself: the standard library (of Rust 1.95) may take a refusal that comes while it waits for a success.
fn connect(address: SocketAddr, limit: Duration) -> Result<(), ErrorCode> {
    let family = if address.is_ipv4() { IpAddressFamily::Ipv4 } else { IpAddressFamily::Ipv6 };
    let socket = create_tcp_socket(family)?;
    socket.start_connect(&instance_network(), socket_address(address))?;
    let answered = socket.subscribe();
    let over = subscribe_duration(u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX));
    loop {
        match socket.finish_connect() {
            Ok(_) => return Ok(()),
            Err(ErrorCode::WouldBlock) => {}
            Err(error) => return Err(error),
        }
        if poll(&[&answered, &over]) == [1] {
            return Err(ErrorCode::Timeout);
        }
    }
}

fn socket_address(address: SocketAddr) -> IpSocketAddress {
    let port = address.port();
    match address {
        SocketAddr::V4(v4) => {
            let [a, b, c, d] = v4.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (a, b, c, d) })
        }
        SocketAddr::V6(v6) => {
            let [a, b, c, d, e, f, g, h] = v6.ip().segments();
            let (flow_info, scope_id) = (v6.flowinfo(), v6.scope_id());
            let address = (a, b, c, d, e, f, g, h);
            IpSocketAddress::Ipv6(Ipv6SocketAddress { port, flow_info, address, scope_id })
        }
    }
}

fn denied(host: &str, port: u16) -> Attempt {
    Attempt::Never(Failure::denied(format!("the host denied a connection to {host}:{port}")))
}

fn connection_reason(error: ErrorCode, limit: Duration) -> String {
    match error {
        ErrorCode::ConnectionRefused => "the connection was refused".into(),
        ErrorCode::Timeout => format!("no answer within {limit:?}"),
        ErrorCode::RemoteUnreachable => "the server cannot be reached".into(),
        error => error.to_string(),
    }
}

fn http(url: &str, statuses: &[u16], limit: Duration) -> Attempt {
    match Request::get(url).timeout(limit).max_body(ANSWER).send() {
        Ok(answer) if is_wanted(answer.status, statuses) => Attempt::Ready,
        Ok(answer) => Attempt::NotYet(format!("it answered with status {}", answer.status)),
        // An answer so large is one.
        Err(HttpError::TooLarge(_)) if statuses.is_empty() => Attempt::Ready,
        Err(HttpError::TimedOut(message) | HttpError::Connection(message) | HttpError::TooLarge(message)) => {
            Attempt::NotYet(message)
        }
        Err(error @ (HttpError::Invalid(_) | HttpError::Denied(_) | HttpError::Untrusted(_))) => {
            Attempt::Never(error.into())
        }
    }
}

fn is_wanted(status: u16, statuses: &[u16]) -> bool {
    if statuses.is_empty() { (200..400).contains(&status) } else { statuses.contains(&status) }
}

fn exec(script: &str, limit: Duration) -> Attempt {
    let command = Command::new("sh").args(["-eu", "-c", script]).time_limit(limit).quiet();
    match command.run() {
        Ok(status) if status.success() => Attempt::Ready,
        Ok(status) => Attempt::NotYet(match last_line(&command.stderr()).or_else(|| last_line(&command.stdout())) {
            Some(line) => format!("it {status}: {line}"),
            None => format!("it {status}"),
        }),
        Err(ExecError::Failed(message)) => Attempt::NotYet(message),
        Err(error) => Attempt::Never(error.into()),
    }
}

/// The last line that says something, not too long.
fn last_line(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(line.chars().take(200).collect())
}

fn file(path: &str) -> Attempt {
    let path = if path.is_empty() { "." } else { path };
    match Path::new(path).symlink_metadata() {
        Ok(_) => Attempt::Ready,
        Err(error) if error.kind() == ErrorKind::NotFound => Attempt::NotYet("it does not exist".into()),
        Err(error) => Attempt::NotYet(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_wanted_or_not() {
        for (status, statuses, wanted) in [
            (200, &[][..], true),
            (302, &[], true),
            (404, &[], false),
            (503, &[], false),
            (401, &[401], true),
            (200, &[401], false),
            (204, &[200, 204], true),
        ] {
            assert_eq!(is_wanted(status, statuses), wanted, "{status} {statuses:?}");
        }
    }

    #[test]
    fn the_last_line_that_says_something_is_the_reason() {
        for (output, line) in [
            ("", None),
            ("\n \n", None),
            ("no response\n", Some("no response")),
            ("first\n  second  \n\n", Some("second")),
        ] {
            assert_eq!(last_line(output.as_bytes()).as_deref(), line);
        }
    }
}
