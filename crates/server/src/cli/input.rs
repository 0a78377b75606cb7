//! Owns what is read from arguments: data as JSON, files, and pairs.
//!
//! Invariant: nothing unbounded is read, whatever file is named.

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::complaint::Complaint;
use crate::secrets;

/// The most bytes that are read of one file or of standard input.
const INPUT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Data: JSON itself, `@file`, or `-` for standard input.
pub(crate) fn data(option: &str, argument: &str) -> Result<Value, Complaint> {
    let text = match argument.strip_prefix('@') {
        Some(path) => text(Path::new(path))?,
        None if argument == "-" => text(Path::new("-"))?,
        None => argument.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| {
        Complaint::Usage(format!(
            "{option} is not JSON: {error}\nhint: write JSON such as '{{\"amount\": 12}}', or @file, or - for standard input"
        ))
    })
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn text(path: &Path) -> Result<String, Complaint> {
    let shown = if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let unreadable =
        |error: std::io::Error| Complaint::Broken(format!("cannot read {shown}: {error}"));
    let source: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(std::io::stdin()),
        false => Box::new(std::fs::File::open(path).map_err(unreadable)?),
    };
    let mut bytes = Vec::new();
    source
        .take(INPUT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > INPUT_BYTES_MAX {
        return Err(Complaint::Broken(format!(
            "{shown} is longer than {INPUT_BYTES_MAX} bytes"
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        let sound = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + sound.iter().filter(|byte| **byte == b'\n').count();
        Complaint::Broken(format!(
            "cannot read {shown}: line {line} is not UTF-8\nhint: save it as UTF-8"
        ))
    })
}

/// `name=value`.
pub(crate) fn pair(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as name=value".to_owned()),
    }
}

/// `name=value`, the value being JSON or else a text.
pub(crate) fn attribute(argument: &str) -> Result<(String, Value), String> {
    let (name, value) = pair(argument)?;
    let value = serde_json::from_str(&value).unwrap_or_else(|_| Value::from(value));
    Ok((name, value))
}

/// `name=@file`, or `name=@-` for standard input: a secret, which an argument itself must not hold, since others on
/// the machine can see arguments.
pub(crate) fn secret(argument: &str) -> Result<(String, graph::Value), Complaint> {
    let (name, file) = argument
        .split_once("=@")
        .filter(|(name, file)| !name.is_empty() && !file.is_empty())
        .ok_or_else(|| {
            Complaint::Usage(
                "--secret is not NAME=@FILE\nhint: give a file, or @- for standard input; arguments can be seen by others"
                    .to_owned(),
            )
        })?;
    let text = secrets::text_of(text(Path::new(file))?.into_bytes())
        .map_err(|why| Complaint::Broken(format!("the secret {name} {why}")))?;
    Ok((name.to_owned(), secrets::parse(&text)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_text_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("latin1.yaml");
        std::fs::write(&file, b"a: b\nc: \xe9\n").unwrap();
        let Err(Complaint::Broken(told)) = text(&file) else {
            panic!("it is not text")
        };
        assert!(told.contains("latin1.yaml: line 2 is not UTF-8"), "{told}");
    }

    #[test]
    fn data_is_json_or_a_file_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("input.json");
        std::fs::write(&file, "{\"amount\": 12}").unwrap();
        assert_eq!(data("--input", "[1]").unwrap(), json!([1]));
        assert_eq!(
            data("--input", &format!("@{}", file.display())).unwrap(),
            json!({"amount": 12})
        );
        assert!(matches!(
            data("--input", "{amount: 12}"),
            Err(Complaint::Usage(_))
        ));
        assert!(matches!(
            data("--input", "@/nowhere"),
            Err(Complaint::Broken(_))
        ));
    }

    #[test]
    fn pairs_and_attributes() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(pair("=b").is_err() && pair("a").is_err());
        assert_eq!(attribute("amount=12"), Ok(("amount".into(), json!(12))));
        assert_eq!(attribute("who=acme"), Ok(("who".into(), json!("acme"))));
        assert_eq!(attribute("who=\"12\""), Ok(("who".into(), json!("12"))));
    }
}
