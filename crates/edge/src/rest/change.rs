//! Owns [`change`]: a command that answers nothing but that it was done.
//!
//! Invariant: the answer means that the change is durable.

use axum::http::StatusCode;
use engine::Engine;
use kernel::Command;

use crate::refusal::Refusal;

/// Does what a command says.
pub(super) async fn change(engine: &Engine, command: Command) -> Result<StatusCode, Refusal> {
    engine.ask(command).await?;
    Ok(StatusCode::NO_CONTENT)
}
