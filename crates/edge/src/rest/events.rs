//! Owns the REST path of correlated events.
//!
//! Invariant: the body is the event and nothing else, so that it can be passed on as it came.

use axum::Json;
use axum::extract::State;
use engine::Engine;
use graph::Value;
use kernel::{Command, Reply};

use crate::intake;
use crate::refusal::Refusal;
use crate::rest::answer::PublishAnswer;
use crate::rest::extract::{Body, Pairs};
use crate::rest::problem::Problem;
use crate::rest::query;

/// Offers an event to every run that waits for it; kept if none does. The body is the event: an object
/// with at least `type`; CloudEvents in JSON are welcome.
#[utoipa::path(
    post, path = "/events", tag = "events", operation_id = "publish_event",
    params(("ttl_ms" = Option<u64>, Query, description = "How long it is kept if nobody waits; a day if left out.")),
    request_body(content = Object, description = "The event."),
    responses((status = 200, body = PublishAnswer, description = "Who met it."), Problem)
)]
pub(super) async fn publish(
    State(engine): State<Engine>,
    pairs: Pairs,
    Body(body): Body,
) -> Result<Json<PublishAnswer>, Refusal> {
    let ttl_ms =
        query::only(pairs, "ttl_ms")?.map_or(Ok(0), |text| query::number("ttl_ms", &text))?;
    let event = intake::json("body", &body, Value::default)?;
    let reply = engine
        .ask(Command::PublishEvent {
            event,
            ttl_ms: intake::ttl(ttl_ms),
        })
        .await?;
    let receivers = if let Reply::Published { receivers } = reply {
        receivers
    } else {
        0
    };
    Ok(Json(PublishAnswer { receivers }))
}
