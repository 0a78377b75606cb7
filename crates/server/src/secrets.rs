//! Owns [`Secrets`]: the secrets of this server, from where its operator put them.
//!
//! A secret is looked for in what the command line named, then in a variable of the environment, then in a file
//! of the configured directory. It is read when a task needs it, so a changed file counts from the next task on.
//! Invariant: no error holds a part of a secret.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use engine::SecretSource;
use graph::Value;

/// What the variables of secrets begin with.
pub(crate) const PREFIX: &str = "QUADRILLE_SECRET_";

/// The largest secret.
pub(crate) const SECRET_BYTES_MAX: usize = 64 << 10;

/// Where the secrets of a server lie.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    /// Secrets of the command line.
    given: BTreeMap<String, Value>,
    /// A directory with a file for each; empty for none.
    directory: PathBuf,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets in {:?}", self.directory)
    }
}

impl Secrets {
    /// Those of a directory, besides the environment.
    pub(crate) fn of(directory: &Path) -> Secrets {
        Secrets {
            directory: directory.to_owned(),
            ..Secrets::default()
        }
    }

    /// Those given by name, besides the environment.
    pub(crate) fn given(given: BTreeMap<String, Value>) -> Secrets {
        Secrets {
            given,
            ..Secrets::default()
        }
    }

    fn in_directory(&self, name: &str) -> Result<Option<Value>, String> {
        // The compiler lets no other names pass, but graphs need not come from it.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if self.directory.as_os_str().is_empty()
            || name.starts_with('.')
            || !name.chars().all(is_plain)
        {
            return Ok(None);
        }
        let path = self.directory.join(name);
        let unusable = |why: String| format!("cannot use the secret {name:?}: its file {why}");
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(format!("cannot be read: {error}"))),
        };
        let metadata = file.metadata();
        let metadata = metadata.map_err(|error| unusable(format!("cannot be read: {error}")))?;
        if !metadata.is_file() {
            return Err(unusable("is a directory or a device".to_owned()));
        }
        if let Some(why) = doubt(&metadata) {
            return Err(unusable(why.to_owned()));
        }
        let mut bytes = Vec::new();
        file.take(SECRET_BYTES_MAX as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unusable(format!("cannot be read: {error}")))?;
        let text = text_of(bytes).map_err(unusable)?;
        Ok(Some(parse(&text)))
    }
}

impl SecretSource for Secrets {
    fn find(&self, name: &str) -> Result<Value, String> {
        if let Some(secret) = self.given.get(name) {
            return Ok(secret.clone());
        }
        let variable = variable(name);
        if let Ok(text) = std::env::var(&variable)
            && !text.is_empty()
        {
            return Ok(parse(&text));
        }
        self.in_directory(name)?.ok_or_else(|| {
            format!("there is no secret {name:?}; set the server's variable {variable}, or put a file {name} into the directory of `secrets.directory`")
        })
    }
}

/// The variable of the environment that holds a secret.
fn variable(name: &str) -> String {
    let letters = name.chars().map(|c| match c {
        '-' | '.' => '_',
        c => c.to_ascii_uppercase(),
    });
    PREFIX.chars().chain(letters).collect()
}

/// The text of a file: no more than a secret may have, without the line end that editors add.
pub(crate) fn text_of(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() > SECRET_BYTES_MAX {
        return Err(format!("has more than {SECRET_BYTES_MAX} bytes"));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    let length = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(length);
    Ok(text)
}

/// A secret in its text: an object if it is one in JSON, else the text itself.
pub(crate) fn parse(text: &str) -> Value {
    match Value::from_json(text.as_bytes()) {
        Ok(object @ Value::Object(_)) => object,
        _ => Value::from(text),
    }
}

/// Why a file is not to be trusted with a secret; nothing if it is.
#[cfg(unix)]
fn doubt(metadata: &std::fs::Metadata) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt as _;
    doubt_of(
        metadata.mode(),
        metadata.uid(),
        rustix::process::geteuid().as_raw(),
    )
}

#[cfg(not(unix))]
fn doubt(_: &std::fs::Metadata) -> Option<&'static str> {
    None
}

/// The mode 0644 is what orchestrators mount secrets with, so who put a file there counts, not who may read it.
#[cfg(unix)]
fn doubt_of(mode: u32, owner: u32, server: u32) -> Option<&'static str> {
    const ROOT: u32 = 0;
    if mode & 0o002 != 0 {
        return Some("can be changed by everyone on this machine; chmod o-w it");
    }
    if mode & 0o007 != 0 && owner != ROOT && owner != server {
        return Some(
            "can be read by everyone on this machine and belongs to neither root nor the server's user; chmod o-rwx it",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_are_secrets_if_nobody_else_changes_them() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8], mode: u32| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        write("token", b"s3cr3t\n", 0o600);
        write("login", br#"{"username":"ada","password":"s3cr3t"}"#, 0o440);
        write("mounted", b"s3cr3t", 0o644);
        write("open", b"s3cr3t", 0o646);
        std::fs::create_dir(folder.path().join("folder")).unwrap();
        write("large", &vec![b's'; SECRET_BYTES_MAX + 1], 0o600);
        write("binary", &[0xff, 0xfe], 0o600);
        let secrets = Secrets::of(folder.path());
        assert_eq!(secrets.find("token").unwrap(), Value::from("s3cr3t"));
        let login = secrets.find("login").unwrap();
        assert_eq!(login.get("username"), Some(&Value::from("ada")));
        assert_eq!(secrets.find("mounted").unwrap(), Value::from("s3cr3t"));
        for (name, part) in [
            ("open", "chmod o-w it"),
            ("folder", "is a directory"),
            ("large", "more than 65536 bytes"),
            ("binary", "not UTF-8"),
            ("none", "QUADRILLE_SECRET_NONE"),
            ("../token", "there is no secret"),
        ] {
            let why = secrets.find(name).unwrap_err();
            assert!(why.contains(part) && !why.contains("s3cr3t"), "{why}");
        }
    }

    #[test]
    fn what_everyone_reads_belongs_to_root_or_the_server() {
        for (mode, owner, trusted) in [
            (0o100_644, 0, true),
            (0o100_644, 7, true),
            (0o100_644, 8, false),
            (0o100_640, 8, true),
            (0o100_602, 7, false),
        ] {
            assert_eq!(doubt_of(mode, owner, 7).is_none(), trusted, "{mode:o}");
        }
    }

    #[test]
    fn what_is_given_is_stronger() {
        let given = [("api-token".to_owned(), Value::from("s3cr3t"))].into();
        let secrets = Secrets::given(given);
        assert_eq!(secrets.find("api-token").unwrap(), Value::from("s3cr3t"));
        assert_eq!(variable("api-token.v2"), "QUADRILLE_SECRET_API_TOKEN_V2");
    }
}
