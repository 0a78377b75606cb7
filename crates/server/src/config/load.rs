//! Owns [`load`]: the file and the environment into one [`Config`].
//!
//! Invariant: nothing is guessed or passed over: an unknown key and a value of another type are refused,
//! and a value that a variable set is blamed on that variable.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::environment::{Leaf, Overlay, leaves, overlay};
use super::fault::ConfigFault;
use super::model::Config;

/// The longest configuration file that is read.
pub(crate) const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The file that is read from the working directory when none is named.
const FILE_DEFAULT: &str = "quadrille.yaml";

/// A configuration, and what is to be said about where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// It.
    pub(crate) config: Config,
    /// The file that was read, if there was one.
    pub(crate) file: Option<PathBuf>,
    /// What is probably not meant as it stands.
    pub(crate) warnings: Vec<String>,
}

/// Reads the named file, or `quadrille.yaml` if there is one here, and lays the environment over it.
///
/// # Errors
/// A file that cannot be read or understood, an unknown key, a value that cannot be.
pub(crate) fn load(
    file: Option<&Path>,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, ConfigFault> {
    let file = match file {
        Some(file) => Some(file.to_owned()),
        None => Some(PathBuf::from(FILE_DEFAULT)).filter(|file| file.exists()),
    };
    let text = file.as_deref().map(read).transpose()?;
    let place = file
        .as_ref()
        .map_or_else(String::new, |file| file.display().to_string());
    let (config, warnings) = parse(&place, text.as_deref().unwrap_or_default(), variables)?;
    Ok(Loaded {
        config,
        file,
        warnings,
    })
}

fn read(path: &Path) -> Result<String, ConfigFault> {
    let unreadable = |source| ConfigFault::Unreadable {
        path: path.to_owned(),
        source,
    };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(ConfigFault::TooLong {
            path: path.to_owned(),
            bytes,
        });
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

/// The configuration that a text and variables make, and warnings. `place` names the text in errors.
fn parse(
    place: &str,
    text: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(Config, Vec<String>), ConfigFault> {
    let defaults =
        serde_json::to_value(Config::default()).expect("the configuration is plain data");
    let mut tree = yaml(place, text)?;
    refuse_unknown(place, &tree, &defaults, "")?;
    let Overlay { values, warnings } = overlay(&leaves(&defaults), variables)?;
    let mut set: Vec<Leaf> = Vec::new();
    for (leaf, value) in values {
        put(&mut tree, &leaf.keys, value);
        set.push(leaf);
    }
    let config = serde_path_to_error::deserialize(tree).map_err(|error| {
        let key = error.path().to_string();
        let by_variable = set.iter().find(|leaf| leaf.path() == key);
        let place = by_variable.map_or_else(|| place.to_owned(), Leaf::variable);
        ConfigFault::Invalid {
            place,
            key,
            why: plainly(&error.into_inner().to_string()),
        }
    })?;
    Ok((config, warnings))
}

/// A YAML text as a tree of what it sets; keys without a value set nothing.
fn yaml(place: &str, text: &str) -> Result<Value, ConfigFault> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let tree: Value = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        ConfigFault::Malformed {
            place: place.to_owned(),
            why: error.render_with_formatter(&serde_saphyr::UserMessageFormatter),
        }
    })?;
    let tree = without_nulls(tree);
    if tree.is_object() {
        return Ok(tree);
    }
    let why = "expected keys with values, such as \"server:\"".to_owned();
    Err(ConfigFault::Malformed {
        place: place.to_owned(),
        why,
    })
}

/// The same tree without what is null; nothing at all is an empty tree.
fn without_nulls(tree: Value) -> Value {
    match tree {
        Value::Null => Value::Object(Map::new()),
        Value::Object(object) => object
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| {
                (
                    key,
                    if value.is_object() {
                        without_nulls(value)
                    } else {
                        value
                    },
                )
            })
            .collect(),
        other => other,
    }
}

/// Refuses a key that the defaults do not have, and a value where they have further keys.
fn refuse_unknown(
    place: &str,
    tree: &Value,
    known: &Value,
    above: &str,
) -> Result<(), ConfigFault> {
    let (Value::Object(tree), Value::Object(known)) = (tree, known) else {
        return Ok(());
    };
    if known.is_empty() {
        // A map of free names.
        return Ok(());
    }
    for (key, value) in tree {
        let path = if above.is_empty() {
            key.clone()
        } else {
            format!("{above}.{key}")
        };
        let Some(below) = known.get(key) else {
            let names: Vec<_> = known.keys().map(String::as_str).collect();
            let hint = match crate::spelling::nearest(key, names.iter().copied()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("the keys here are {}", names.join(", ")),
            };
            return Err(ConfigFault::UnknownKey {
                place: place.to_owned(),
                key: path,
                hint,
            });
        };
        if below.is_object() && !value.is_object() {
            return Err(ConfigFault::Invalid {
                place: place.to_owned(),
                key: path,
                why: format!("expected keys with values below it, not {value}"),
            });
        }
        refuse_unknown(place, value, below, &path)?;
    }
    Ok(())
}

/// What the deserializer says, without the names of our types.
fn plainly(why: &str) -> String {
    why.replace("expected u16", "expected a whole number from 0 to 65535")
}

/// Sets a value deep in a tree. Nothing else stands in its way: what is no tree there was refused before.
fn put(tree: &mut Value, keys: &[String], value: Value) {
    let Some((key, below)) = keys.split_first() else {
        *tree = value;
        return;
    };
    if let Value::Object(object) = tree {
        let next = object
            .entry(key.clone())
            .or_insert_with(|| Value::Object(Map::new()));
        put(next, below, value);
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn parsed(
        text: &str,
        variables: &[(&str, &str)],
    ) -> Result<(Config, Vec<String>), ConfigFault> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        parse("quadrille.yaml", text, variables)
    }

    fn refusal(text: &str, variables: &[(&str, &str)]) -> String {
        parsed(text, variables)
            .expect_err("it is wrong")
            .to_string()
    }

    #[test]
    fn nothing_set_is_the_default() {
        for text in [
            "",
            "# only words\n",
            "server:\n",
            "server: {port: }\ndatabase: {}\n",
        ] {
            assert_eq!(parsed(text, &[]).unwrap().0, Config::default(), "{text:?}");
        }
    }

    #[test]
    fn the_environment_is_stronger_than_the_file() {
        let text = "server: {port: 1, host: '::1'}\ndatabase: {type: embedded, path: /a}\nlog: {format: text}\n";
        let variables = [
            ("QUADRILLE_SERVER_PORT", "9000"),
            ("QUADRILLE_SERVER_ALLOWED_HOSTS", "a.example, b.example"),
            ("QUADRILLE_CONNECTORS_HTTP_ALLOW_PRIVATE", "true"),
            ("QUADRILLE_LOG_LEVEL", "debug"),
            ("QUADRILLE_DATABASE_PATH", ""),
            ("QUADRILLE_URL", "http://elsewhere"),
            ("PATH", "/bin"),
        ];
        let (config, warnings) = parsed(text, &variables).unwrap();
        assert_eq!(warnings, Vec::<String>::new());
        assert_snapshot!(serde_saphyr::to_string(&config).unwrap(), @r#"
        server:
          host: "::1"
          port: 9000
          allow_unauthenticated_remote: false
          allowed_hosts:
          - a.example
          - b.example
        database:
          type: embedded
          path: /a
        messaging:
          broker: embedded
        connectors:
          http:
            enabled: true
            allow_private: true
            ca_file: ""
            resolve: {}
          process:
            enabled: false
          files: ""
        secrets:
          directory: ""
        log:
          format: text
          level: debug
        "#);
    }

    #[test]
    fn a_variable_that_sets_nothing_is_warned_about() {
        let (config, warnings) = parsed(
            "",
            &[
                ("QUADRILLE_SERVER_PROT", "1"),
                ("QUADRILLE_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ],
        )
        .unwrap();
        assert_eq!(config, Config::default());
        assert_snapshot!(warnings.join("\n"), @r"
        the environment variable QUADRILLE_PORT_8080_TCP sets nothing
        the environment variable QUADRILLE_SERVER_PROT sets nothing; did you mean QUADRILLE_SERVER_PORT?
        ");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let cases: [(&str, &[(&str, &str)]); 14] = [
            ("server: {prot: 1}", &[]),
            ("serve: {port: 1}", &[]),
            ("connectors: {http: {tls: true}}", &[]),
            ("server: {port: abc}", &[]),
            ("server: {port: 70000}", &[]),
            ("server: {allow_unauthenticated_remote: yes}", &[]),
            ("server: 8080", &[]),
            ("database: {type: postgres}", &[]),
            ("- server", &[]),
            ("server: {port: 1", &[]),
            ("server: {port: 1}\nserver: {port: 2}", &[]),
            ("", &[("QUADRILLE_SERVER_PORT", "http")]),
            ("", &[("QUADRILLE_SERVER_PORT", "70000")]),
            ("", &[("QUADRILLE_CONNECTORS_HTTP_ENABLED", "1")]),
        ];
        let texts: Vec<_> = cases
            .iter()
            .map(|(text, variables)| refusal(text, variables))
            .collect();
        assert_snapshot!(texts.join("\n--\n"), @r#"
        quadrille.yaml: unknown key server.prot
        hint: did you mean port?
        --
        quadrille.yaml: unknown key serve
        hint: did you mean server?
        --
        quadrille.yaml: unknown key connectors.http.tls
        hint: the keys here are allow_private, ca_file, enabled, resolve
        --
        quadrille.yaml: server.port: invalid type: string "abc", expected a whole number from 0 to 65535
        --
        quadrille.yaml: server.port: invalid value: integer `70000`, expected a whole number from 0 to 65535
        --
        quadrille.yaml: server.allow_unauthenticated_remote: invalid type: string "yes", expected a boolean
        --
        quadrille.yaml: server: expected keys with values below it, not 8080
        --
        quadrille.yaml: database.type: unknown variant `postgres`, expected `embedded`
        --
        quadrille.yaml: not valid YAML: expected keys with values, such as "server:"
        --
        quadrille.yaml: not valid YAML: unclosed bracket '{' at line 1, column 9
        --
        quadrille.yaml: not valid YAML: duplicate mapping key `server` is not allowed here at line 2, column 1
        --
        QUADRILLE_SERVER_PORT: server.port: "http" is not a whole number
        --
        QUADRILLE_SERVER_PORT: server.port: invalid value: integer `70000`, expected a whole number from 0 to 65535
        --
        QUADRILLE_CONNECTORS_HTTP_ENABLED: connectors.http.enabled: "1" is neither true nor false
        "#);
    }

    #[test]
    fn a_named_file_must_exist() {
        let missing = load(Some(Path::new("/nowhere/quadrille.yaml")), []).unwrap_err();
        assert_snapshot!(missing, @"cannot read the configuration file /nowhere/quadrille.yaml: No such file or directory (os error 2)");
    }
}
