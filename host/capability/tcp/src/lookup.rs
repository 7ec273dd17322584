//! `wasi:sockets/ip-name-lookup` with a check of every name and address in front: the standard implementation looks up all
//! names or none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    self, Host, HostResolveAddressStream, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, Network};
use wasmtime_wasi::p2::{DynPollable, SocketError, SocketResult};
use wasmtime_wasi::sockets::WasiSocketsView;
use wasmtime_wasi::{WasiCtxView, WasiView};

use crate::permit::Tcp;

/// State that has TCP connections.
pub trait TcpView: Send + 'static {
    fn tcp(&mut self) -> (&mut Tcp, WasiCtxView<'_>);
}

/// A lookup under way.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// The number of its stream in the table.
    stream: u32,
    name: String,
    given_any: bool,
    /// An address that may not be reached.
    refused: Option<IpAddr>,
}

struct HasTcp;

impl HasData for HasTcp {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    tcp: &'a mut Tcp,
    wasi: WasiCtxView<'a>,
}

impl WasiView for View<'_> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: self.wasi.ctx, table: self.wasi.table }
    }
}

/// Puts the checks in front of the lookup of names, which must be in the linker already.
pub fn add_to_linker<T: TcpView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let added = ip_name_lookup::add_to_linker::<T, HasTcp>(linker, |state| {
        let (tcp, wasi) = state.tcp();
        View { tcp, wasi }
    });
    linker.allow_shadowing(false);
    added
}

impl Host for View<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<ResolveAddressStream>> {
        let Some(name) = self.tcp.permit.look_up(&name) else { return Err(ErrorCode::AccessDenied.into()) };
        let stream = self.sockets().resolve_addresses(network, name.clone())?;
        let lookup = Lookup { stream: stream.rep(), name, given_any: false, refused: None };
        self.tcp.lookups.push(lookup);
        Ok(stream)
    }
}

impl HostResolveAddressStream for View<'_> {
    fn resolve_next_address(&mut self, stream: Resource<ResolveAddressStream>) -> SocketResult<Option<IpAddress>> {
        let number = stream.rep();
        loop {
            let next = self.sockets().resolve_next_address(Resource::new_borrow(number))?;
            let Tcp { permit, lookups } = &mut *self.tcp;
            let Some(lookup) = lookups.iter_mut().find(|lookup| lookup.stream == number) else {
                return Err(ErrorCode::InvalidState.into());
            };
            match (next, lookup.refused) {
                (Some(address), _) => {
                    let ip = ip(address);
                    if permit.answer(&lookup.name, ip) {
                        lookup.given_any = true;
                        return Ok(Some(address));
                    }
                    lookup.refused = Some(ip);
                }
                (None, Some(ip)) if !lookup.given_any => {
                    permit.refuse(&lookup.name, ip);
                    return Err(ErrorCode::AccessDenied.into());
                }
                (None, _) => return Ok(None),
            }
        }
    }

    fn subscribe(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<Resource<DynPollable>> {
        self.sockets().subscribe(stream)
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        let number = stream.rep();
        self.tcp.lookups.retain(|lookup| lookup.stream != number);
        HostResolveAddressStream::drop(&mut self.sockets(), stream)
    }
}

impl network::Host for View<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        self.sockets().convert_error_code(error)
    }

    fn network_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        self.sockets().network_error_code(error)
    }
}

impl network::HostNetwork for View<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.sockets(), network)
    }
}

fn ip(address: IpAddress) -> IpAddr {
    match address {
        IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}
