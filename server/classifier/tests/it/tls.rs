//! Certificates: whose are believed, and for which name.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use camino::Utf8PathBuf;
use countersign_core::classify::Verdict;
use countersign_core::decision::UnavailableReason::Transport;
use countersign_core::model::{ClassifierSettings, Provider};
use countersign_test_support::model_server::ModelServer;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::world::{models, prompt, settings, unavailable};

pub(crate) fn data(name: &str) -> Utf8PathBuf {
    Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data")).join(name)
}

/// A model that allows, over TLS; its certificate is for `localhost`. Returns
/// its port. Ends with the process.
pub(crate) fn serve() -> u16 {
    let certificate = CertificateDer::from_pem_file(data("server.pem")).unwrap();
    let key = PrivateKeyDer::try_from(std::fs::read(data("server-key.der")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let stream = StreamOwned::new(connection, socket.unwrap());
            // A client that does not believe the certificate goes away.
            let _ = answer(stream);
        }
    });
    port
}

fn answer(stream: StreamOwned<ServerConnection, std::net::TcpStream>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    let body = serde_json::json!({
        "choices": [{ "message": { "content": "{\"shouldBlock\":false}" }, "finish_reason": "stop" }],
    })
    .to_string();
    write!(
        reader.get_mut(),
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    reader.get_mut().flush()
}

pub(crate) fn over_tls(host: &str, port: u16) -> ClassifierSettings {
    let server = ModelServer::start();
    let mut settings = settings(Provider::OpenaiCompatible, &server);
    settings.base_url = format!("https://{host}:{port}/v1");
    settings
}

#[tokio::test]
async fn a_certificate_of_the_settings_authority_is_believed_for_its_name_only() {
    let port = serve();
    let mut named = over_tls("localhost", port);
    named.ca_file = Some(data("ca.pem"));
    let answer = models().ask(&named, &prompt()).await;
    assert_eq!(answer.verdict, Verdict::Allow, "{answer:?}");

    let mut other = over_tls("127.0.0.1", port);
    other.ca_file = Some(data("ca.pem"));
    let mut unknown = over_tls("localhost", port);
    for settings in [&other, &unknown] {
        let answer = models().ask(settings, &prompt()).await;
        assert_eq!(unavailable(&answer), Some(Transport), "{answer:?}");
        let problem = answer.model.problem.unwrap();
        assert!(problem.contains("certificate"), "{problem}");
        assert!(problem.contains("caFile"), "{problem}");
    }

    unknown.ca_file = Some(data("no-such-file.pem"));
    let answer = models().ask(&unknown, &prompt()).await;
    let problem = answer.model.problem.unwrap();
    assert!(problem.contains("no-such-file.pem"), "{problem}");
}
