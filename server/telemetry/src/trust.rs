//! Which certificates a collector may have: the system's, and those of a file
//! that the user names.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use camino::Utf8Path;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Largest file of certificates, in bytes.
const FILE_BYTES: u64 = 1024 * 1024;

/// The file's text.
///
/// # Errors
/// Why it cannot be used.
pub(crate) fn read(path: &Utf8Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            format!(
                "the certificates in {path} cannot be read: {}",
                error.kind()
            )
        })?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES {
        return Err(format!(
            "the file of certificates {path} is longer than 1 MiB"
        ));
    }
    Ok(bytes)
}

/// What HTTP connections over TLS are made with.
///
/// # Errors
/// Why none can be.
pub(crate) fn config(ca_file: Option<&Utf8Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca_file {
        for certificate in CertificateDer::pem_slice_iter(&read(path)?) {
            certificate
                .ok()
                .and_then(|certificate| roots.add(certificate).ok())
                .ok_or_else(|| format!("{path} holds no certificates in PEM form"))?;
        }
    }
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(
            "the system has no trusted certificates; install them (ca-certificates), or name a \
             file in telemetry.caFile"
                .to_owned(),
        );
    }
    with(roots)
}

/// What connections are made with where nothing is said over TLS.
///
/// # Errors
/// Why none can be.
pub(crate) fn nobody() -> Result<ClientConfig, String> {
    with(RootCertStore::empty())
}

fn with(roots: RootCertStore) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
