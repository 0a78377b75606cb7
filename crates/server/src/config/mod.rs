//! The configuration: what can be set, and how the file, the environment and the defaults become one.
//!
//! Order of strength: flags of the command line, environment variables, `quadrille.yaml`, defaults.

mod environment;
mod fault;
mod load;
mod model;
#[cfg(test)]
mod reference;
mod schema;

pub(crate) use environment::variables;
pub(crate) use fault::ConfigFault;
pub(crate) use load::load;
pub(crate) use model::{Config, Connectors, Http, Level, Log, LogFormat};
pub(crate) use schema::schema;
