//! Owns [`find`]: where the program of a name lies.

use std::ffi::OsStr;
use std::path::PathBuf;

use sdk::TaskError;

use crate::reading::wrong;

/// The program of this name in the directories of a path.
pub(super) fn find(name: &str, path: &OsStr) -> Result<PathBuf, TaskError> {
    first_of(&[name], path)
}

/// The first of these programs that is there.
pub(super) fn first_of(names: &[&str], path: &OsStr) -> Result<PathBuf, TaskError> {
    let places = names
        .iter()
        .flat_map(|name| std::env::split_paths(path).map(move |folder| folder.join(name)));
    let mut found = places.filter(|place| place.is_absolute() && place.is_file());
    found.next().ok_or_else(|| {
        let names = names.join(" nor ");
        let why = format!("there is no {names} in the PATH of the server; install it there");
        wrong("process", &why)
    })
}
