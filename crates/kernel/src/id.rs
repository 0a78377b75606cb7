//! Owns the identities: of runs, of what is inside a run, and of a task's attempt.
//!
//! Invariant: an id is a value, never a place; two kinds of id cannot be swapped.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use graph::Value;
use sha2::{Digest, Sha256};

use crate::codec::{Damage, Wire, get_varint, put_varint, record};

/// A run, for ever. Printed as a UUID.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunId(pub [u8; 16]);

/// The order of the bytes, compared as one number: runs are looked up by it all the time.
impl Ord for RunId {
    fn cmp(&self, other: &RunId) -> Ordering {
        u128::from_be_bytes(self.0).cmp(&u128::from_be_bytes(other.0))
    }
}

impl PartialOrd for RunId {
    fn partial_cmp(&self, other: &RunId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl RunId {
    /// The id of the run that a workflow and a business key stand for: a hash, so that no second
    /// table is needed to find the run again (UUID version 8 of the SHA-256).
    #[must_use]
    pub fn of_key(workflow: &str, key: &str) -> RunId {
        let mut hash = Sha256::new();
        hash.update((workflow.len() as u64).to_le_bytes());
        hash.update(workflow);
        hash.update(key);
        let digest = hash.finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        id[6] = id[6] & 0x0f | 0x80;
        id[8] = id[8] & 0x3f | 0x80;
        RunId(id)
    }

    /// A number between 0 and `bound`, the same each time for the same run and salt: jitter without
    /// randomness.
    #[must_use]
    pub fn spread(self, salt: u64, bound: u64) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(salt.to_le_bytes());
        let digest = hash.finalize();
        let mut word = [0; 8];
        word.copy_from_slice(&digest[..8]);
        u64::from_le_bytes(word) % bound.max(1)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (place, byte) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = DIGITS[usize::from(byte >> 4)];
            text[at + 1] = DIGITS[usize::from(byte & 0x0f)];
            at += 2;
        }
        f.write_str(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not a run id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotRunId;

impl fmt::Display for NotRunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a run id looks like 0192f3c4-5d6e-7f80-91a2-b3c4d5e6f708")
    }
}

impl FromStr for RunId {
    type Err = NotRunId;

    fn from_str(text: &str) -> Result<RunId, NotRunId> {
        let mut digits = text
            .bytes()
            .filter(|byte| *byte != b'-')
            .map(|byte| char::from(byte).to_digit(16));
        let mut id = [0; 16];
        for byte in &mut id {
            let (high, low) = (
                digits.next().flatten().ok_or(NotRunId)?,
                digits.next().flatten().ok_or(NotRunId)?,
            );
            *byte = u8::try_from(high << 4 | low).map_err(|_| NotRunId)?;
        }
        if digits.next().is_some() || text.len() != 36 {
            Err(NotRunId)
        } else {
            Ok(RunId(id))
        }
    }
}

impl Wire for RunId {
    const VARINT: bool = false;

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn get(input: &mut &[u8]) -> Result<RunId, Damage> {
        let id = (*input)
            .try_into()
            .map_err(|_| Damage::Malformed("run id"))?;
        *input = &[];
        Ok(RunId(id))
    }

    fn to_value(&self) -> Value {
        Value::text(alloc::format!("{self}"))
    }
}

macro_rules! number_id {
    ($(#[$meta:meta])* $name:ident($number:ty)) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $number);

        impl Wire for $name {
            const VARINT: bool = true;

            fn put(&self, out: &mut Vec<u8>) {
                put_varint(u64::from(self.0), out);
            }

            fn get(input: &mut &[u8]) -> Result<$name, Damage> {
                get_varint(input)?.try_into().map($name).map_err(|_| Damage::Malformed("id"))
            }

            fn to_value(&self) -> Value {
                self.0.to_value()
            }
        }
    };
}

number_id! {
    /// One visit to a node, within its run. Numbered upward from 1.
    StepId(u32)
}
number_id! {
    /// One opening of a body, within its run. The root is 0.
    FrameId(u32)
}
number_id! {
    /// A worker's session with this server.
    SessionId(u64)
}
number_id! {
    /// An instant: milliseconds since 1970, UTC.
    Time(u64)
}

/// The root frame of every run.
pub const ROOT_FRAME: FrameId = FrameId(0);

/// Stands for the run as a whole where a step is named, as for the run's own timeout.
pub const WHOLE_RUN: StepId = StepId(0);

impl Time {
    /// This instant plus so many milliseconds; never wraps.
    #[must_use]
    pub fn plus(self, ms: u64) -> Time {
        Time(self.0.saturating_add(ms))
    }

    /// Milliseconds since an earlier instant, zero if it is later.
    #[must_use]
    pub fn since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

record! {
    /// A step of a run: where a task, a timer or a child belongs.
    #[derive(Copy, Eq, PartialOrd, Ord, Hash)]
    pub struct StepRef {
        /// The run.
        1 run: RunId,
        /// The step within it.
        2 step: StepId,
    }
}

impl fmt::Display for StepRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.run, self.step.0)
    }
}

/// Text that is not the id of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotStepRef;

impl fmt::Display for NotStepRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "it is a run id, a dot and a number, such as 0192f3c4-5d6e-7f80-91a2-b3c4d5e6f708.3",
        )
    }
}

impl FromStr for StepRef {
    type Err = NotStepRef;

    fn from_str(text: &str) -> Result<StepRef, NotStepRef> {
        let (run, step) = text.split_once('.').ok_or(NotStepRef)?;
        Ok(StepRef {
            run: run.parse().map_err(|_| NotStepRef)?,
            step: StepId(step.parse().map_err(|_| NotStepRef)?),
        })
    }
}

record! {
    /// One claim of a task by a worker. A report with an older claim number is refused.
    #[derive(Copy, Eq, PartialOrd, Ord, Hash)]
    pub struct TaskToken {
        /// The run.
        1 run: RunId,
        /// The step within it.
        2 step: StepId,
        /// Counts the claims of this step, from 1.
        3 claim: u32,
    }
}

impl TaskToken {
    /// The step that was claimed.
    #[must_use]
    pub fn step_ref(self) -> StepRef {
        StepRef {
            run: self.run,
            step: self.step,
        }
    }
}
