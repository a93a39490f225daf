//! Whose certificates are believed: the system's and those of the settings'
//! file.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use camino::Utf8Path;
use countersign_core::decision::UnavailableReason;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::failure::Failure;

/// Longest file of certificates, in bytes.
const CA_FILE_BYTES: u64 = 1024 * 1024;

/// Where systems keep the certificates they trust, in one file.
const SYSTEM_FILES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// Where others keep them, each in a file of its own.
const SYSTEM_FOLDER: &str = "/etc/ssl/certs";

/// Which certificates of the system count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    /// None: nothing is asked over TLS. A system without certificates can
    /// still ask a model on the same machine.
    Nobody,
    /// The system's own files only. An agent may set the variables that name
    /// others.
    Files,
    /// Also what the environment names.
    Environment,
}

/// What TLS connections are made with. Reads files.
pub(crate) fn config(system: System, ca_file: Option<&Utf8Path>) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    if system != System::Nobody {
        if let Some(path) = ca_file {
            for certificate in read_file(path)? {
                roots
                    .add(certificate)
                    .map_err(|_| unusable(path, "holds a certificate that cannot be used"))?;
            }
        }
        let found = match (system, system_file()) {
            (System::Environment, _) => rustls_native_certs::load_native_certs(),
            (_, Some(file)) => rustls_native_certs::load_certs_from_paths(Some(file), None),
            (_, None) => {
                rustls_native_certs::load_certs_from_paths(None, Some(Path::new(SYSTEM_FOLDER)))
            }
        };
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(Failure::new(
                UnavailableReason::Transport,
                "the system has no file of trusted certificates",
            )
            .remedy(
                "install its certificates (ca-certificates), or name a file in \
                 permissions.autoMode.classifier.caFile",
            ));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::new(UnavailableReason::Transport, error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn system_file() -> Option<&'static Path> {
    SYSTEM_FILES
        .iter()
        .map(Path::new)
        .find(|path| path.is_file())
}

fn unusable(path: &Utf8Path, why: &str) -> Failure {
    Failure::new(
        UnavailableReason::Transport,
        format!("permissions.autoMode.classifier.caFile {path} {why}"),
    )
    .remedy("name a file of certificates in PEM form")
}

fn read_file(path: &Utf8Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(CA_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| unusable(path, &format!("cannot be read: {}", error.kind())))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > CA_FILE_BYTES {
        return Err(unusable(path, "is longer than 1 MiB"));
    }
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|_| unusable(path, "is not in PEM form"))?;
    if certificates.is_empty() {
        return Err(unusable(path, "holds no certificate"));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused_with_its_name() {
        for (content, why) in [
            (Vec::new(), "holds no certificate"),
            (b"hello".to_vec(), "holds no certificate"),
            (
                b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n".to_vec(),
                "is not in PEM form",
            ),
            (
                b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(),
                "holds a certificate that cannot be used",
            ),
            (vec![b'x'; 1024 * 1024 + 1], "is longer than 1 MiB"),
        ] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&content).unwrap();
            let path = Utf8Path::from_path(file.path()).unwrap();
            let failure = config(System::Files, Some(path)).unwrap_err();
            assert!(failure.what.contains(why), "{failure:?}");
            assert!(failure.what.contains(path.as_str()), "{failure:?}");
        }
        let missing = Utf8Path::new("/nonexistent/ca.pem");
        assert!(config(System::Files, Some(missing)).is_err());
    }

    #[test]
    fn a_model_on_this_machine_needs_no_certificates() {
        let missing = Utf8Path::new("/nonexistent/ca.pem");
        assert!(config(System::Nobody, Some(missing)).is_ok());
    }
}
