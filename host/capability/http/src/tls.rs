use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, Error as TlsError, RootCertStore};

/// Speaks TLS with the server that the certificate must name.
pub async fn connect(name: ServerName<'static>, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
    static CONFIG: OnceLock<Result<Arc<ClientConfig>, TlsError>> = OnceLock::new();
    let config = CONFIG.get_or_init(configure).clone().map_err(std::io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}

/// Whether a connection failed because of the server's certificate: not trusted, out of date, or for another name.
pub fn refused_certificate(error: &std::io::Error) -> bool {
    let error = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    matches!(error, Some(TlsError::InvalidCertificate(_) | TlsError::NoCertificatesPresented))
}

/// Trusts what the machine trusts (its store, or `SSL_CERT_FILE` and `SSL_CERT_DIR`), read once, by the first request
/// that needs it.
fn configure() -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    // Single certificates that cannot be read are left out; without any, every connection fails by itself.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
