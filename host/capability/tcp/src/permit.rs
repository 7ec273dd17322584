use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sluice_model::grant::{AddressKind, Capability, Host, TcpGrant, address_kind};
use sluice_model::{Audit, Denial, Ruling, Verdict};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::sockets::SocketAddrUse;

use crate::lookup::Lookup;

/// The most answers to lookups that are remembered; a name with more addresses leads to the first ones.
const ANSWERS: usize = 1024;

/// What one step may do over TCP.
#[derive(Debug)]
pub struct Tcp {
    pub(crate) permit: Arc<Permit>,
    pub(crate) lookups: Vec<Lookup>,
}

impl Tcp {
    pub fn new(granted: &[TcpGrant], audit: Audit) -> Self {
        let permit = Permit { granted: granted.into(), audit, answers: Mutex::default() };
        Self { permit: Arc::new(permit), lookups: Vec::new() }
    }

    /// Opens the sockets of a context to what was granted. A step without a grant may still make a socket, which leads
    /// nowhere, so that what it asks for can be told.
    pub fn open(&self, wasi: &mut WasiCtxBuilder) {
        let permit = Arc::clone(&self.permit);
        let names = permit.granted.iter().any(|grant| matches!(grant.host, Host::Name(_)));
        wasi.allow_tcp(true).allow_ip_name_lookup(names).socket_addr_check(move |address, purpose| {
            let permitted = permit.permits(address, purpose);
            Box::pin(async move { permitted })
        });
    }
}

/// Decides over every address and every name of a step.
#[derive(Debug)]
pub(crate) struct Permit {
    granted: Box<[TcpGrant]>,
    audit: Audit,
    /// What granted names have led to, so that a connection goes to an address that was checked: name, address.
    answers: Mutex<Vec<(String, IpAddr)>>,
}

impl Permit {
    fn permits(&self, address: SocketAddr, purpose: SocketAddrUse) -> bool {
        match purpose {
            // What the system does by itself before it connects; alone it lets nobody in.
            SocketAddrUse::TcpBind if address.ip().is_unspecified() && address.port() == 0 => true,
            SocketAddrUse::TcpConnect => self.connects(address),
            SocketAddrUse::TcpBind | SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => {
                self.never(format!("listening at {address}"), "a step makes connections and takes none");
                false
            }
            SocketAddrUse::UdpBind | SocketAddrUse::UdpSend | SocketAddrUse::UdpReceive => {
                let (asked, why) = (format!("UDP with {address}"), "a step speaks TCP only");
                self.audit.decide(Ruling::without_grant(Capability::Tcp, asked, Verdict::Denied, why));
                false
            }
        }
    }

    fn connects(&self, address: SocketAddr) -> bool {
        let (ip, port) = (address.ip().to_canonical(), address.port());
        let names: Vec<String> =
            self.answers().iter().filter(|(_, answer)| *answer == ip).map(|(name, _)| name.clone()).collect();
        let leads_here = |host: &Host| match host {
            Host::Ip(granted) => *granted == ip,
            Host::Name(name) => names.contains(name),
        };
        let allows = |grant: &&TcpGrant| grant.allows_port(port) && leads_here(&grant.host) && grant.reaches(ip);
        if let Some(grant) = self.granted.iter().find(allows) {
            let mut narrowest = TcpGrant::new(grant.host.clone(), port);
            let asked = format!("a connection to {narrowest}");
            narrowest.private = grant.private && !narrowest.reaches(ip);
            let ruling = Ruling::allowed(Capability::Tcp, asked, grant).narrowest(narrowest);
            self.audit.decide(match grant.host {
                Host::Ip(_) => ruling,
                Host::Name(_) => ruling.detail("address", ip.to_string()),
            });
            return true;
        }
        let host = names.into_iter().next().map_or(Host::Ip(ip), Host::Name);
        let grant = TcpGrant::new(host, port).to_string();
        self.audit.deny(Denial::new(Capability::Tcp, format!("a connection to {grant}"), grant));
        false
    }

    /// Checks a name before it is looked up, and gives its one spelling.
    pub(crate) fn look_up(&self, name: &str) -> Option<String> {
        let asked = || format!("looking up the name `{}`", name.escape_default());
        match Host::parse(name) {
            Ok(host @ Host::Name(_)) => {
                if let Some(grant) = self.granted.iter().find(|grant| grant.host == host) {
                    self.audit.decide(Ruling::allowed(Capability::Tcp, asked(), grant));
                    return Some(host.to_string());
                }
                self.audit.deny(Denial::new(Capability::Tcp, asked(), format!("{host}:PORT")));
                None
            }
            // An address needs no lookup, and some toolchains ask all the same.
            Ok(Host::Ip(ip)) => Some(ip.to_string()),
            Err(_) if name.parse::<IpAddr>().is_ok() => Some(name.to_owned()),
            Err(why) => {
                self.never(asked(), &why);
                None
            }
        }
    }

    /// Whether an address that a name led to may be handed out, which opens the way to it.
    pub(crate) fn answer(&self, name: &str, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        if name.parse::<IpAddr>().is_ok() {
            // The connection is checked.
            return true;
        }
        let granted = self.of(name).any(|grant| grant.reaches(ip));
        let mut answers = self.answers();
        if granted && answers.len() < ANSWERS && !answers.iter().any(|(known, answer)| known == name && *answer == ip) {
            answers.push((name.to_owned(), ip));
        }
        granted
    }

    /// A name led to nothing that may be reached, but to this address.
    pub(crate) fn refuse(&self, name: &str, ip: IpAddr) {
        let ip = ip.to_canonical();
        let (why, grant) = match address_kind(ip) {
            AddressKind::Special => ("an address that only a grant of exactly it allows", None),
            _ => ("a private address", self.of(name).next().map(|grant| format!("{grant} private"))),
        };
        let asked = format!("a connection to {name}");
        let why = Some(format!("`{name}` leads to {ip}, {why}"));
        self.audit.deny(Denial { capability: Capability::Tcp, asked, why, grant });
    }

    /// The grants of a name.
    fn of(&self, name: &str) -> impl Iterator<Item = &TcpGrant> {
        self.granted.iter().filter(move |grant| matches!(&grant.host, Host::Name(host) if host == name))
    }

    fn never(&self, asked: String, why: &str) {
        self.audit.deny(Denial { capability: Capability::Tcp, asked, why: Some(why.to_owned()), grant: None });
    }

    fn answers(&self) -> MutexGuard<'_, Vec<(String, IpAddr)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permit(grants: &[&str]) -> Arc<Permit> {
        let grants: Vec<TcpGrant> = grants.iter().map(|grant| grant.parse().unwrap()).collect();
        Tcp::new(&grants, Audit::default()).permit
    }

    fn last(permit: &Permit) -> String {
        permit.audit.denials().last().map(Denial::text).unwrap_or_default()
    }

    #[test]
    fn only_granted_names_are_looked_up_and_only_what_they_lead_to_is_reached() {
        let permit = permit(&["db.example.org:5432", "cache.example.org:6379 private", "10.0.0.9:80"]);
        let answer = |name: &str, ip: &str| permit.answer(name, ip.parse().unwrap());
        let connects = |text: &str| permit.permits(text.parse().unwrap(), SocketAddrUse::TcpConnect);
        assert_eq!(permit.look_up("DB.example.org.").as_deref(), Some("db.example.org"));
        assert!(!connects("8.8.8.8:5432"), "nothing was looked up yet");
        assert!(answer("db.example.org", "8.8.8.8"));
        assert!(connects("8.8.8.8:5432"));
        assert!(!connects("8.8.8.8:22"));
        assert_eq!(
            last(&permit),
            "the host denied a connection to db.example.org:22; if the step should reach that host too, add to its \
             `grants`:\n    tcp: [\"db.example.org:22\"]"
        );
        assert!(!answer("db.example.org", "10.0.0.1"));
        permit.refuse("db.example.org", "10.0.0.1".parse().unwrap());
        assert_eq!(
            last(&permit),
            "the host denied a connection to db.example.org: `db.example.org` leads to 10.0.0.1, a private address; if \
             the step should reach that host too, add to its `grants`:\n    tcp: [\"db.example.org:5432 private\"]"
        );
        assert!(!connects("10.0.0.1:5432"));
        assert!(answer("cache.example.org", "10.0.0.1"));
        assert!(connects("10.0.0.1:6379") && !connects("10.0.0.1:5432"), "each name with its own port");
        assert!(!answer("cache.example.org", "169.254.169.254"));
        assert!(connects("10.0.0.9:80"), "an address needs no lookup");
        assert_eq!(permit.look_up("10.0.0.9").as_deref(), Some("10.0.0.9"));
        assert_eq!(permit.look_up("secret.evil.example"), None);
        assert_eq!(
            last(&permit),
            "the host denied looking up the name `secret.evil.example`; if the step should reach that host too, add to \
             its `grants`:\n    tcp: [\"secret.evil.example:PORT\"]"
        );
        assert_eq!(permit.look_up("not a name"), None);
        assert_eq!(permit.look_up("0x7f.1"), None);
    }

    #[test]
    fn nothing_listens_and_nothing_is_sent_otherwise() {
        let permit = permit(&["127.0.0.1:80"]);
        let permits = |text: &str, purpose| permit.permits(text.parse().unwrap(), purpose);
        assert!(permits("0.0.0.0:0", SocketAddrUse::TcpBind) && permits("[::]:0", SocketAddrUse::TcpBind));
        for (address, purpose) in [
            ("127.0.0.1:80", SocketAddrUse::TcpBind),
            ("0.0.0.0:80", SocketAddrUse::TcpBind),
            ("0.0.0.0:0", SocketAddrUse::TcpListen),
            ("127.0.0.1:80", SocketAddrUse::TcpListen),
            ("127.0.0.1:80", SocketAddrUse::TcpAccept),
            ("127.0.0.1:80", SocketAddrUse::UdpSend),
            ("0.0.0.0:0", SocketAddrUse::UdpBind),
            ("127.0.0.1:80", SocketAddrUse::UdpReceive),
        ] {
            assert!(!permits(address, purpose), "{address} {purpose:?}");
        }
    }
}
