//! What can go wrong with a store. What was synced is still there, and the journal holds the rest.

use std::error::Error;
use std::sync::Arc;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The name of a table cannot be used.
    #[error("table name {name:?} is {flaw}")]
    TableName {
        /// The name.
        name: String,
        /// Why it cannot be used.
        flaw: &'static str,
    },
    /// Somebody else has the store open.
    #[error(
        "store {path} is held by another owner\n  stop the other process, or choose another folder"
    )]
    Locked {
        /// The folder.
        path: String,
    },
    /// The tables were written by another version of this program.
    #[error(
        "store {path} has format version {found}; this program reads version {supported}\n  start it with an empty data folder, or the program that wrote this one"
    )]
    UnknownVersion {
        /// The folder.
        path: String,
        /// The version found.
        found: u64,
        /// The only version read.
        supported: u64,
    },
    /// The tables do not say which position they reflect.
    #[error(
        "store {path} holds records but no {missing}\n  restore the data folder from a backup, or start with an empty one"
    )]
    Incomplete {
        /// The folder.
        path: String,
        /// What is missing.
        missing: &'static str,
    },
    /// The store holds tables that this program does not know.
    #[error(
        "store {path} holds the tables {found}, but was opened for {asked}\n  start it with an empty data folder, or the program that wrote this one"
    )]
    OtherTables {
        /// The folder.
        path: String,
        /// The tables found.
        found: String,
        /// The tables asked for.
        asked: String,
    },
    /// The tables failed.
    #[error("cannot open store {path}: {source}")]
    Tables {
        /// The folder.
        path: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the store: {0}")]
pub struct ReadFault(pub(crate) Box<dyn Error + Send + Sync>);

/// Why a batch was not applied, or could not be made durable.
#[derive(Debug, thiserror::Error)]
pub enum WriteFault {
    /// A key is empty or too long. Nothing was written.
    #[error("a key for table {table} has {bytes} bytes, but must have from 1 to {bytes_max}")]
    Key {
        /// The table.
        table: usize,
        /// The size of the key.
        bytes: usize,
        /// The largest size allowed.
        bytes_max: usize,
    },
    /// A value is too long. Nothing was written.
    #[error("a value for table {table} has {bytes} bytes, more than the {bytes_max} allowed")]
    Value {
        /// The table.
        table: usize,
        /// The size of the value.
        bytes: usize,
        /// The largest size allowed.
        bytes_max: usize,
    },
    /// The batch reflects an earlier position than the tables do. Nothing was written.
    #[error("the batch reflects position {found}, but the store already reflects {current}")]
    Position {
        /// The position of the tables.
        current: u64,
        /// The position of the batch.
        found: u64,
    },
    /// The tables failed. The store takes no more batches until it is opened again.
    #[error("cannot write the store: {0}")]
    Tables(Arc<dyn Error + Send + Sync>),
}
