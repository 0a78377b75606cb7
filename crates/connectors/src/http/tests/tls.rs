//! The connector against a server that speaks TLS with a certificate of an authority of its own.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use super::*;
use crate::outgoing::Authorities;

/// A server with TLS, and the file that holds the certificate of its authority.
struct Secure {
    port: u16,
    folder: TempDir,
    authority: PathBuf,
}

/// Starts one whose certificate is for `name`; it answers every request with `"safe"`.
async fn serve_tls(name: &str) -> Secure {
    let mut of_authority = CertificateParams::new(Vec::new()).unwrap();
    of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(of_authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let of_server = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = of_server.signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                    content-length: 6\r\nconnection: close\r\n\r\n\"safe\"";
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authority.pem");
    std::fs::write(&path, authority.pem()).unwrap();
    Secure {
        port,
        folder,
        authority: path,
    }
}

async fn ask_securely(
    secure: &Secure,
    authorities: Authorities,
    host: &str,
) -> Result<Value, TaskError> {
    let outgoing = Outgoing {
        addresses: AddressPolicy::Any,
        authorities,
        resolve: [("led.example".into(), ([127, 0, 0, 1], secure.port).into())].into(),
    };
    let caller = Caller::new(&outgoing).unwrap();
    let place = match host {
        "led.example" => host.to_owned(),
        _ => format!("{host}:{}", secure.port),
    };
    let input = json!({"endpoint": format!("https://{place}/")});
    caller.call(read("http request", input)?, "key-1").await
}

#[tokio::test]
async fn https_is_spoken_with_who_an_authority_of_ours_vouches_for() {
    let secure = serve_tls("localhost").await;
    let authorities = Authorities::read(&secure.authority).unwrap();
    let answer = ask_securely(&secure, authorities.clone(), "localhost").await;
    assert_eq!(answer.unwrap(), "safe");

    let strangers = ask_securely(&secure, Authorities::default(), "localhost").await;
    let error = strangers.unwrap_err();
    assert!(
        error.detail.contains("UnknownIssuer") && error.detail.contains("connectors.http.ca_file"),
        "{}",
        error.detail
    );

    let other_name = ask_securely(&secure, authorities, "127.0.0.1").await;
    let error = other_name.unwrap_err();
    assert_eq!((word(&error), error.retryable), ("communication", false));
    assert!(error.detail.contains("not valid for"), "{}", error.detail);
}

#[tokio::test]
async fn a_name_is_led_elsewhere_with_its_port_and_still_has_to_prove_itself() {
    let secure = serve_tls("led.example").await;
    let authorities = Authorities::read(&secure.authority).unwrap();
    let answer = ask_securely(&secure, authorities, "led.example").await;
    assert_eq!(answer.unwrap(), "safe");
    let strangers = ask_securely(&secure, Authorities::default(), "led.example").await;
    assert!(strangers.unwrap_err().detail.contains("UnknownIssuer"));
}

#[tokio::test]
async fn files_that_hold_no_certificates_are_refused() {
    let secure = serve_tls("localhost").await;
    let file = secure.folder.path().join("wrong.pem");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, part) in [
        ("", "it holds none"),
        (
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
            "",
        ),
        (broken, ""),
        (&"x".repeat((1 << 20) + 1), "longer than 1048576 bytes"),
    ] {
        std::fs::write(&file, text).unwrap();
        let fault = Authorities::read(&file).unwrap_err().to_string();
        assert!(
            fault.contains("wrong.pem") && fault.contains(part),
            "{text:.40}: {fault}"
        );
    }
    let missing = Authorities::read(&secure.folder.path().join("none.pem"));
    assert!(missing.is_err());
}
