//! Ports of the loopback interface for services.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

/// Below those that systems give to outgoing connections, which could take one before its service listens.
const RANGE: RangeInclusive<u16> = 20_000..=32_000;

/// Ports that were given out.
#[derive(Debug, Default)]
pub struct Ports {
    given: Mutex<BTreeSet<u16>>,
}

impl Ports {
    /// The wanted port if nothing listens there, or any that was not given out before.
    ///
    /// # Errors
    /// Why there is none, to stand after the message of a failure.
    pub fn take(&self, wanted: Option<u16>) -> Result<u16, String> {
        if let Some(port) = wanted {
            return match is_free(port) {
                Ok(()) => Ok(port),
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                    Err(format!("something listens on port {port} already"))
                }
                Err(error) => Err(format!("the system does not give it: {error}")),
            };
        }
        // Runs beside this one begin elsewhere.
        let mut random = [0; 2];
        getrandom::fill(&mut random).map_err(|error| error.to_string())?;
        let size = RANGE.end() - RANGE.start() + 1;
        let first = u16::from_ne_bytes(random) % size;
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ports = (0..size).map(|step| RANGE.start() + (first + step) % size);
        let port = ports.find(|port| !given.contains(port) && is_free(*port).is_ok());
        let port = port.ok_or_else(|| format!("all ports from {} to {} are taken", RANGE.start(), RANGE.end()))?;
        given.insert(port);
        Ok(port)
    }
}

fn is_free(port: u16) -> std::io::Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_out_twice_and_none_on_which_something_listens() {
        let ports = Ports::default();
        let given: BTreeSet<u16> = (0..50).map(|_| ports.take(None).unwrap()).collect();
        assert_eq!(given.len(), 50);
        assert!(given.iter().all(|port| RANGE.contains(port)));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = listener.local_addr().unwrap().port();
        assert_eq!(ports.take(Some(taken)), Err(format!("something listens on port {taken} already")));
        drop(listener);
        assert_eq!(ports.take(Some(taken)), Ok(taken));
    }
}
