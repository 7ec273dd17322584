//! Where an address leads, and whether a grant lets a step go there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// The public internet.
    Public,
    /// This machine or a network behind it.
    Private,
    /// What no ordinary server has: metadata services of clouds, link-local, multicast, unspecified, reserved.
    Special,
}

/// Sorts an address, by the special-purpose registries of IANA (RFC 6890 and what updates it). An IPv6 address that
/// carries an IPv4 address is what that one is.
pub fn address_kind(ip: IpAddr) -> AddressKind {
    match ip {
        IpAddr::V4(ip) => kind_of_v4(ip),
        IpAddr::V6(ip) => kind_of_v6(ip),
    }
}

fn kind_of_v4(ip: Ipv4Addr) -> AddressKind {
    match ip.octets() {
        [127, ..] => AddressKind::Private,
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] => AddressKind::Private,
        // The metadata service of one cloud stands within the range of shared addresses (RFC 6598).
        [100, 100, 100, 200] => AddressKind::Special,
        [100, 64..=127, ..] => AddressKind::Private,
        [0, ..] | [169, 254, ..] | [224..=255, ..] => AddressKind::Special,
        [192, 0, 0, _] | [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] => {
            AddressKind::Special
        }
        [198, 18..=19, ..] => AddressKind::Private,
        _ => AddressKind::Public,
    }
}

fn kind_of_v6(ip: Ipv6Addr) -> AddressKind {
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        kind_of_v4(Ipv4Addr::new(a, b, c, d))
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressKind::Special,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressKind::Private,
        // Mapped, compatible and translated IPv4 (RFC 4291, RFC 2765), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => embedded(high, low),
        // A local NAT64 prefix leads into the network that chose it; Teredo (RFC 4380) hides where it leads.
        [0x64, 0xff9b, 1, ..] => AddressKind::Private,
        [0x2001, 0, ..] => AddressKind::Special,
        // The metadata services of two clouds stand within unique local addresses.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => AddressKind::Special,
        [0xfc00..=0xfdff, ..] => AddressKind::Private,
        // Global unicast is 2000::/3; documentation and benchmarking are carved out of it.
        [0x2001, 0xdb8, ..] | [0x3fff, ..] | [0x2001, 2, 0, ..] => AddressKind::Special,
        [0x2000..=0x3fff, ..] => AddressKind::Public,
        _ => AddressKind::Special,
    }
}

/// Whether a step may reach an address that a granted host leads to. `named`: the grant itself names the address, as a
/// literal or as `localhost`; `private`: it says that private addresses are meant.
pub fn may_reach(ip: IpAddr, named: impl FnOnce() -> bool, private: impl FnOnce() -> bool) -> bool {
    match address_kind(ip) {
        AddressKind::Public => true,
        AddressKind::Private => named() || private(),
        AddressKind::Special => named(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_sorted_by_where_they_lead() {
        use AddressKind::{Private, Public, Special};
        for (ip, kind) in [
            ("8.8.8.8", Public),
            ("172.32.0.1", Public),
            ("127.0.0.1", Private),
            ("127.9.9.9", Private),
            ("10.0.0.1", Private),
            ("172.16.0.1", Private),
            ("192.168.1.1", Private),
            ("100.64.0.1", Private),
            ("0.0.0.0", Special),
            ("169.254.169.254", Special),
            ("100.100.100.200", Special),
            ("224.0.0.1", Special),
            ("255.255.255.255", Special),
            ("2606:4700::1111", Public),
            ("::", Special),
            ("::1", Private),
            ("::ffff:127.0.0.1", Private),
            ("::ffff:169.254.169.254", Special),
            ("::ffff:8.8.8.8", Public),
            ("::7f00:1", Private),
            ("64:ff9b::10.0.0.1", Private),
            ("64:ff9b::a9fe:a9fe", Special),
            ("64:ff9b:1::1", Private),
            ("2002:7f00:1::", Private),
            ("2002:a9fe:a9fe::1", Special),
            ("2001::1", Special),
            ("fe80::1", Special),
            ("fec0::1", Special),
            ("fc00::1", Private),
            ("fd00:ec2::254", Special),
            ("fd20:ce::254", Special),
            ("ff02::1", Special),
        ] {
            assert_eq!(address_kind(ip.parse().unwrap()), kind, "{ip}");
        }
    }
}
