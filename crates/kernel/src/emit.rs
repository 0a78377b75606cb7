//! Owns events that a run makes: what every event has, and how it is published.
//!
//! Invariant: two different events of a run differ in their `id`, and the same one is the same after a crash.

use alloc::format;

use graph::Failure;
use graph::value::{Object, Value};
use sha2::{Digest, Sha256};

use crate::eval::Scope;
use crate::limits::SIGNAL_TTL_MS_DEFAULT;
use crate::message::{Message, Publishing};
use crate::signal;
use crate::turn::RunTurn;

impl RunTurn<'_, '_> {
    /// Publishes what an emit says; gives the event.
    pub(crate) fn emit_event(
        &mut self,
        template: &graph::Template,
        scope: &Scope,
    ) -> Result<Value, Failure> {
        self.room_for_message()?;
        let Value::Object(members) = self.template(template, scope)? else {
            return Err(Failure::new("configuration", "an event must be an object"));
        };
        let event = self.event((*members).clone());
        signal::check_event(&event).map_err(|rejection| {
            Failure::new("runtime", format!("the event was refused: {rejection}"))
        })?;
        self.publish(event.clone(), SIGNAL_TTL_MS_DEFAULT);
        Ok(event)
    }

    /// An event of this run: what is given, and for what is missing what every event has.
    pub(crate) fn event(&self, mut members: Object) -> Value {
        let run = self.state();
        let number = run.entered;
        members
            .entry("source".into())
            .or_insert_with(|| Value::text(format!("/workflows/{}", run.workflow)));
        members
            .entry("specversion".into())
            .or_insert_with(|| Value::from("1.0"));
        let at = crate::eval::rfc3339(self.now());
        members
            .entry("time".into())
            .or_insert_with(|| Value::text(at));
        // Different events that come at the same point of a run must differ in it: an event counts once.
        let content = fingerprint(&Value::object(members.clone()));
        members
            .entry("id".into())
            .or_insert_with(|| Value::text(format!("{}-{number}-{content:08x}", run.id)));
        Value::object(members)
    }

    /// Publishes an event: as a message, because this very run may wait for it and must not move while it
    /// is being moved.
    pub(crate) fn publish(&mut self, event: Value, ttl_ms: u64) {
        let publishing = Publishing { event, ttl_ms };
        self.turn_mut().send(Message::PublishEvent(publishing));
    }
}

/// A number that differs for different data, but for rare chance.
fn fingerprint(value: &Value) -> u32 {
    let digest = Sha256::digest(value.to_json());
    u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]])
}
