//! stub
//! stub
pub(crate) fn run(_arguments: &[String]) -> anyhow::Result<()> { Ok(()) }
