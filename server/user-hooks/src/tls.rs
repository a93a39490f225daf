//! Whose certificates are believed: those in the system's own files. The
//! variables that name others are an agent's to set.

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// Where systems keep the certificates they trust, in one file.
const SYSTEM_FILES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// What connections are made with; without certificates where nothing is asked
/// over TLS. Reads files.
///
/// # Errors
/// Why no connection can be made.
pub(crate) fn config(over_tls: bool) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    if over_tls {
        let file = SYSTEM_FILES
            .iter()
            .map(Path::new)
            .find(|path| path.is_file());
        let folder = file.is_none().then_some(Path::new("/etc/ssl/certs"));
        let found = rustls_native_certs::load_certs_from_paths(file, folder);
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(
                "the system has no file of trusted certificates; install ca-certificates"
                    .to_owned(),
            );
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
