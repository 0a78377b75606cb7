//! Owns the decision to try again: one policy for tasks and for tried bodies.
//!
//! Invariant: the pause is a function of policy, attempt and run, so a replay or a second replica
//! would have paused as long.

use graph::ir::{Backoff, Retry};
use graph::{Failure, failure};

use crate::eval::Scope;
use crate::id::{StepId, Time};
use crate::turn::RunTurn;

/// The longest pause between two attempts when the policy names none: a day.
const DELAY_MS_MAX: u64 = 86_400_000;

/// The longest pause that a failure may ask for: an hour.
const RETRY_AFTER_MS_MAX: u64 = 3_600_000;

/// The attempt that failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// When the first one began.
    pub first_at: Time,
    /// Whose.
    pub step: StepId,
}

impl RunTurn<'_, '_> {
    /// When to try again; none when the policy does not allow it (any more).
    pub(crate) fn next_attempt(
        &mut self,
        retry: &Retry,
        attempt: Attempt,
        failed: &Failure,
        scope: &Scope,
    ) -> Result<Option<Time>, Failure> {
        let exhausted = retry
            .attempts_max
            .is_some_and(|most| attempt.number >= most);
        let fatal = retry
            .fatal_types
            .iter()
            .any(|kind| failure::same_type(kind, &failed.kind));
        if exhausted || fatal {
            return Ok(None);
        }
        let wanted = self.holds(retry.when.as_ref(), scope)?;
        let unwanted =
            retry.except_when.is_some() && self.holds(retry.except_when.as_ref(), scope)?;
        if !wanted || unwanted {
            return Ok(None);
        }
        let first_ms = self.delay(&retry.delay, scope)?;
        let asked_ms = failed.retry_after_ms.unwrap_or(0).min(RETRY_AFTER_MS_MAX);
        let pause_ms = pause(retry, attempt.number, first_ms)
            .max(asked_ms)
            .saturating_add(self.jitter(retry, attempt));
        let due = self.now().plus(pause_ms);
        let too_late = retry
            .duration_max_ms
            .is_some_and(|most| due.since(attempt.first_at) > most);
        Ok((!too_late).then_some(due))
    }

    fn jitter(&self, retry: &Retry, attempt: Attempt) -> u64 {
        let Some((from, to)) = retry.jitter_ms else {
            return 0;
        };
        let salt = u64::from(attempt.step.0) << 32 | u64::from(attempt.number);
        from + self
            .id()
            .spread(salt, to.saturating_sub(from).saturating_add(1))
    }
}

/// The pause after an attempt, before jitter.
fn pause(retry: &Retry, attempt: u32, first_ms: u64) -> u64 {
    let most = retry.delay_max_ms.unwrap_or(DELAY_MS_MAX.max(first_ms));
    let pause = match retry.backoff {
        Backoff::Constant => first_ms,
        Backoff::Linear => first_ms.saturating_mul(u64::from(attempt)),
        Backoff::Exponential(factor) => exponential(first_ms, factor, attempt, most),
    };
    pause.min(most)
}

/// Multiplies step by step, because `no_std` has no `powi`; stops as soon as the cap is reached.
fn exponential(first_ms: u64, factor: f64, attempt: u32, most: u64) -> u64 {
    let mut pause = first_ms as f64;
    for _ in 1..attempt {
        if pause >= most as f64 {
            return most;
        }
        pause *= factor.max(1.0);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float cast saturates, and the cap follows"
    )]
    let pause = pause as u64;
    pause
}

#[cfg(test)]
mod tests {
    use graph::Delay;

    use super::*;

    fn policy(backoff: Backoff, delay_max_ms: Option<u64>) -> Retry {
        Retry {
            delay: Delay::Ms(100),
            backoff,
            delay_max_ms,
            jitter_ms: None,
            attempts_max: None,
            duration_max_ms: None,
            fatal_types: alloc::vec::Vec::new(),
            when: None,
            except_when: None,
        }
    }

    #[test]
    fn pauses_grow_as_the_policy_says_and_stop_at_the_cap() {
        let pauses = |retry: Retry| [1, 2, 3, 4].map(|attempt| pause(&retry, attempt, 100));
        assert_eq!(
            pauses(policy(Backoff::Constant, None)),
            [100, 100, 100, 100]
        );
        assert_eq!(pauses(policy(Backoff::Linear, None)), [100, 200, 300, 400]);
        assert_eq!(
            pauses(policy(Backoff::Exponential(2.0), None)),
            [100, 200, 400, 800]
        );
        assert_eq!(
            pauses(policy(Backoff::Exponential(3.0), Some(500))),
            [100, 300, 500, 500]
        );
        assert_eq!(
            pause(&policy(Backoff::Exponential(1e300), None), u32::MAX, 100),
            DELAY_MS_MAX
        );
    }
}
