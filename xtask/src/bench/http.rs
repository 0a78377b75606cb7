//! Owns the few HTTP/1.1 requests that the bench asks itself, one connection each.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// How long the server may think about an answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// The body of a successful answer to a GET.
pub(super) fn get(address: &str, path: &str) -> anyhow::Result<String> {
    ask(address, "GET", path, "")
}

/// The body of a successful answer to a POST of JSON.
pub(super) fn post(address: &str, path: &str, body: &str) -> anyhow::Result<String> {
    ask(address, "POST", path, body)
}

fn ask(address: &str, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .with_context(|| format!("no answer to {method} {path}"))?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .with_context(|| format!("no whole answer to {method} {path}"))?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        bail!("{method} {path} was answered with {status}: {body}");
    }
    Ok(body.to_owned())
}
