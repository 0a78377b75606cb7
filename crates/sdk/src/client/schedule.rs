//! Owns the calls about schedules, and [`Schedule`] itself.
//!
//! Invariant: what is left out takes the server's default, never one of the SDK's own.

use std::time::Duration;

use api::v1;
use serde::Serialize;

use super::{Client, bounded, millis};
use crate::error::Error;
use crate::json::Json;

/// When a workflow is started by itself.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Names the schedule.
    pub name: String,
    /// The workflow to start.
    pub workflow: String,
    /// Which version; `None` for the latest at each start.
    pub version: Option<String>,
    /// Input of each run.
    pub input: Json,
    /// When.
    pub timing: Timing,
    /// What to do if the run before has not ended.
    pub overlap: Overlap,
    /// What to do about starts that were missed.
    pub catch_up: CatchUp,
    /// Milliseconds since 1970 before which nothing starts.
    pub from_ms: Option<u64>,
    /// Milliseconds since 1970 after which nothing starts.
    pub until_ms: Option<u64>,
    /// Whether it rests.
    pub paused: bool,
    /// Milliseconds since 1970 of the next start; only in answers.
    pub next_at_ms: Option<u64>,
    /// Milliseconds since 1970 of the last start; only in answers.
    pub last_at_ms: Option<u64>,
    /// Runs started so far; only in answers.
    pub started: u64,
}

/// When a schedule starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timing {
    /// At the times of a cron expression.
    Cron {
        /// Five fields, or six with seconds first.
        expression: String,
        /// IANA name; `None` for UTC.
        time_zone: Option<String>,
    },
    /// Once in each such span.
    Every(Duration),
    /// So long after the run before has ended.
    After(Duration),
    /// When the events come that the workflow names.
    OnEvents,
}

/// What happens if a run is due while the one before has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// The new run is left out.
    #[default]
    Skip,
    /// The new run starts when the one before has ended.
    Queue,
    /// Both run.
    Allow,
    /// The one before is cancelled.
    Cancel,
    /// The one before is terminated.
    Terminate,
}

/// What happens about starts that were missed while the server was away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// They are left out.
    #[default]
    Skip,
    /// One run for all of them.
    One,
    /// A run for each.
    All,
}

const OVERLAPS: [(&str, Overlap); 5] = [
    ("skip", Overlap::Skip),
    ("queue", Overlap::Queue),
    ("allow", Overlap::Allow),
    ("cancel", Overlap::Cancel),
    ("terminate", Overlap::Terminate),
];

const CATCH_UPS: [(&str, CatchUp); 3] = [
    ("skip", CatchUp::Skip),
    ("one", CatchUp::One),
    ("all", CatchUp::All),
];

impl Schedule {
    /// A schedule with no input that skips what it missed or what would overlap.
    pub fn new(name: impl Into<String>, workflow: impl Into<String>, timing: Timing) -> Schedule {
        Schedule {
            name: name.into(),
            workflow: workflow.into(),
            version: None,
            input: Json::default(),
            timing,
            overlap: Overlap::Skip,
            catch_up: CatchUp::Skip,
            from_ms: None,
            until_ms: None,
            paused: false,
            next_at_ms: None,
            last_at_ms: None,
            started: 0,
        }
    }

    /// The same with an input for each run.
    ///
    /// # Errors
    /// [`Error::Encode`] if the value has no JSON form.
    pub fn with_input<T: Serialize + ?Sized>(mut self, input: &T) -> Result<Schedule, Error> {
        self.input = Json::encode(input)?;
        Ok(self)
    }
}

impl Client {
    /// Makes a schedule, or changes the one with its name.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn put_schedule(&self, schedule: Schedule) -> Result<(), Error> {
        let request = v1::Schedule::from(schedule);
        self.raw()
            .schedules()
            .put(bounded(request, Duration::ZERO))
            .await?;
        Ok(())
    }

    /// All schedules.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn schedules(&self) -> Result<Vec<Schedule>, Error> {
        let request = v1::ListSchedulesRequest {};
        let answer = self
            .raw()
            .schedules()
            .list(bounded(request, Duration::ZERO))
            .await?
            .into_inner();
        Ok(answer.schedules.into_iter().map(Schedule::from).collect())
    }

    /// One schedule.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not known; [`Error::Unreachable`].
    pub async fn schedule(&self, name: &str) -> Result<Schedule, Error> {
        let schedules = self.schedules().await?;
        let found = schedules.into_iter().find(|schedule| schedule.name == name);
        found.ok_or_else(|| Error::Refused {
            code: "schedule-missing".to_owned(),
            message: format!("no schedule {name}"),
        })
    }

    /// Removes a schedule. Runs that it started go on.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not known; [`Error::Unreachable`].
    pub async fn delete_schedule(&self, name: &str) -> Result<(), Error> {
        let request = v1::ScheduleRequest {
            name: name.to_owned(),
        };
        self.raw()
            .schedules()
            .delete(bounded(request, Duration::ZERO))
            .await?;
        Ok(())
    }

    /// Lets a schedule rest.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not known; [`Error::Unreachable`].
    pub async fn pause_schedule(&self, name: &str) -> Result<(), Error> {
        self.set_schedule_paused(name, true).await
    }

    /// Lets a schedule go on.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not known; [`Error::Unreachable`].
    pub async fn resume_schedule(&self, name: &str) -> Result<(), Error> {
        self.set_schedule_paused(name, false).await
    }

    async fn set_schedule_paused(&self, name: &str, paused: bool) -> Result<(), Error> {
        let name = name.to_owned();
        let request = v1::PauseScheduleRequest { name, paused };
        self.raw()
            .schedules()
            .pause(bounded(request, Duration::ZERO))
            .await?;
        Ok(())
    }
}

fn word_of<T: PartialEq + Copy>(table: &[(&'static str, T)], value: T) -> String {
    let found = table.iter().find(|(_, listed)| *listed == value);
    found.map_or_else(String::new, |(word, _)| (*word).to_owned())
}

fn from_word<T: Default + Copy>(table: &[(&'static str, T)], word: &str) -> T {
    let found = table.iter().find(|(listed, _)| *listed == word);
    found.map_or_else(T::default, |(_, value)| *value)
}

pub(super) fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl From<Schedule> for v1::Schedule {
    fn from(schedule: Schedule) -> v1::Schedule {
        let mut wish = v1::Schedule::default();
        match schedule.timing {
            Timing::Cron {
                expression,
                time_zone,
            } => (wish.cron, wish.time_zone) = (expression, time_zone.unwrap_or_default()),
            Timing::Every(span) => wish.every_ms = millis(span),
            Timing::After(span) => wish.after_ms = millis(span),
            Timing::OnEvents => wish.on_events = true,
        }
        v1::Schedule {
            name: schedule.name,
            workflow: schedule.workflow,
            version: schedule.version.unwrap_or_default(),
            input: schedule.input.into_bytes(),
            overlap: word_of(&OVERLAPS, schedule.overlap),
            catch_up: word_of(&CATCH_UPS, schedule.catch_up),
            paused: schedule.paused,
            from_ms: schedule.from_ms.unwrap_or_default(),
            until_ms: schedule.until_ms.unwrap_or_default(),
            ..wish
        }
    }
}

impl From<v1::Schedule> for Schedule {
    fn from(schedule: v1::Schedule) -> Schedule {
        let timing = match (schedule.every_ms, schedule.after_ms) {
            (0, 0) if schedule.on_events => Timing::OnEvents,
            (0, 0) => Timing::Cron {
                expression: schedule.cron,
                time_zone: non_empty(schedule.time_zone),
            },
            (0, after_ms) => Timing::After(Duration::from_millis(after_ms)),
            (every_ms, _) => Timing::Every(Duration::from_millis(every_ms)),
        };
        Schedule {
            name: schedule.name,
            workflow: schedule.workflow,
            version: non_empty(schedule.version),
            input: schedule.input.into(),
            timing,
            overlap: from_word(&OVERLAPS, &schedule.overlap),
            catch_up: from_word(&CATCH_UPS, &schedule.catch_up),
            paused: schedule.paused,
            from_ms: (schedule.from_ms != 0).then_some(schedule.from_ms),
            until_ms: (schedule.until_ms != 0).then_some(schedule.until_ms),
            next_at_ms: (schedule.next_at_ms != 0).then_some(schedule.next_at_ms),
            last_at_ms: (schedule.last_at_ms != 0).then_some(schedule.last_at_ms),
            started: schedule.started,
        }
    }
}
