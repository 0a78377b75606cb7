//! Owns human tasks: work that waits for a person, who takes it, hands it on, talks about it and decides it.
//!
//! Invariants: at most one person has a task; only they, or anyone while nobody has it, decide it, and it is
//! decided once; a reminder and an escalation come once, not early, and only while the task is open. Who asks is
//! what they say: nothing here can know better.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use graph::ir::{Assignment, FORM, Human};
use graph::value::{Object, Str, Value};
use graph::{Delay, Failure, Kind, Template};

use crate::codec::record;
use crate::command::Reply;
use crate::eval::{Scope, rfc3339};
use crate::event::{RunEvent, StepOnly};
use crate::id::{StepId, StepRef, Time};
use crate::limits::{
    COMMENTS_MAX, DESCRIPTION_BYTES_MAX, GROUPS_MAX, PRIORITY_MAX, REASON_BYTES_MAX,
    TITLE_BYTES_MAX,
};
use crate::rejection::Rejection;
use crate::signal::{check_name, check_weight};
use crate::state::{Activity, Run, Step};
use crate::turn::{RunTurn, Turn};

/// Type of the event that a reminder publishes.
pub const REMINDED_TYPE: &str = "io.quadrille.human-task.reminded";

/// Type of the event that an escalation publishes.
pub const ESCALATED_TYPE: &str = "io.quadrille.human-task.escalated";

/// The outcome of a task that names none and is told none.
pub const OUTCOME_DEFAULT: &str = "completed";

/// How urgent a task is if nothing is said.
const PRIORITY_DEFAULT: u32 = 5;

/// What someone does about a human task.
#[derive(Clone, Debug, PartialEq)]
pub enum HumanAct {
    /// Takes it.
    Claim,
    /// Gives it back.
    Release,
    /// Gives it to someone, or with no assignee to whoever takes it.
    Assign {
        /// To whom.
        assignee: Option<Str>,
        /// To which groups; none leaves them as they are.
        groups: Option<Vec<Str>>,
    },
    /// Says something about it.
    Comment {
        /// What.
        text: Str,
    },
    /// Has done it: the step completes.
    Complete {
        /// Which of its outcomes.
        outcome: Option<Str>,
        /// What the person gives.
        data: Value,
        /// What they say about it.
        comment: Option<Str>,
    },
    /// Refuses it: the step fails with `…/rejected`.
    Reject {
        /// Why.
        reason: Option<Str>,
    },
}

record! {
    /// Work that waits for a person.
    pub struct HumanWork {
        /// One line that says what it is about.
        1 title: Str,
        /// What is to be done, as Markdown.
        2 description: Option<Str>,
        /// Whose it is now.
        3 whose: Whose,
        /// What the person sees.
        4 data: Value,
        /// From 0 to 9, the most urgent last.
        5 priority: u32,
        /// When it is late.
        6 due_at: Option<Time>,
        /// Reminders still to come, the next one first.
        7 reminders: Vec<Time>,
        /// Who gets it when it is not done in time.
        8 escalation: Option<Escalation>,
        /// What people said about it, oldest first.
        9 comments: Vec<Comment>,
    }
}

record! {
    /// Whose a human task is.
    #[derive(Eq, PartialOrd, Ord, Default)]
    pub struct Whose {
        /// Who has it; none lets anyone take it.
        1 assignee: Option<Str>,
        /// Groups whose members may take it.
        2 groups: Vec<Str>,
    }
}

record! {
    /// An escalation to come.
    pub struct Escalation {
        /// When.
        1 at: Time,
        /// Whose it is then.
        2 to: Whose,
    }
}

record! {
    /// Something said about a human task.
    pub struct Comment {
        /// By whom.
        1 by: Str,
        /// When.
        2 at: Time,
        /// What.
        3 text: Str,
    }
}

record! {
    /// What a person did to a human task.
    pub struct HumanBy {
        /// The step.
        1 step: StepId,
        /// Who.
        2 by: Str,
    }
}

record! {
    /// A human task was given to someone.
    pub struct HumanAssigned {
        /// The step.
        1 step: StepId,
        /// By whom.
        2 by: Str,
        /// To whom.
        3 to: Whose,
    }
}

record! {
    /// A human task went to others.
    pub struct HumanEscalated {
        /// The step.
        1 step: StepId,
        /// To whom.
        2 to: Whose,
    }
}

record! {
    /// A person said something.
    pub struct HumanCommented {
        /// The step.
        1 step: StepId,
        /// Who.
        2 by: Str,
        /// What.
        3 text: Str,
    }
}

record! {
    /// A person closed a human task.
    pub struct HumanDecided {
        /// The step.
        1 step: StepId,
        /// Who.
        2 by: Str,
        /// With which outcome; none rejected it.
        3 outcome: Option<Str>,
        /// What they gave.
        4 data: Value,
        /// What they said about it.
        5 comment: Option<Str>,
    }
}

/// What a list of open human tasks is kept by.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The task.
    pub task: StepRef,
    /// The workflow of its run.
    pub workflow: Str,
    /// Whose it is.
    pub whose: Whose,
    /// From 0 to 9, the most urgent last.
    pub priority: u32,
    /// Since when it waits.
    pub since: Time,
}

impl Notice {
    pub(crate) fn of(run: &Run, step: &Step, work: &HumanWork, task: StepRef) -> Notice {
        Notice {
            task,
            workflow: run.workflow.clone(),
            whose: work.whose.clone(),
            priority: work.priority,
            since: step.entered_at,
        }
    }
}

/// Does what someone asks about a human task.
pub(crate) fn decide_act(
    turn: &mut Turn<'_>,
    at: StepRef,
    by: Str,
    act: HumanAct,
) -> Result<Reply, Rejection> {
    check_name("the name of who asks (`by`)", &by)?;
    let step = at.step;
    let work = open(turn, at)?;
    let whose = work.whose.clone();
    let fact = match act {
        HumanAct::Claim => {
            check_holder(&whose, &by)?;
            let is_new = whose.assignee.is_none();
            is_new.then_some(RunEvent::HumanClaimed(HumanBy { step, by }))
        }
        HumanAct::Release => {
            check_holder(&whose, &by)?;
            let is_held = whose.assignee.is_some();
            is_held.then_some(RunEvent::HumanReleased(HumanBy { step, by }))
        }
        HumanAct::Assign { assignee, groups } => {
            let groups = groups.unwrap_or_else(|| whose.groups.clone());
            let to = Whose { assignee, groups };
            to.check().map_err(Rejection::Invalid)?;
            let is_new = to != whose;
            is_new.then_some(RunEvent::HumanAssigned(HumanAssigned { step, by, to }))
        }
        HumanAct::Comment { text } => {
            check_comment(Some(&text))?;
            if work.comments.len() >= COMMENTS_MAX {
                let most = COMMENTS_MAX as u64;
                return Err(Rejection::LimitReached("comments of one human task", most));
            }
            Some(RunEvent::HumanCommented(HumanCommented { step, by, text }))
        }
        HumanAct::Complete {
            outcome,
            data,
            comment,
        } => {
            check_holder(&whose, &by)?;
            return complete(turn, at, by, outcome, data, comment);
        }
        HumanAct::Reject { reason } => {
            check_holder(&whose, &by)?;
            return reject(turn, at, by, reason);
        }
    };
    let mut run = turn.run(at.run)?;
    fact.into_iter().for_each(|fact| run.emit(fact));
    Ok(Reply::Done)
}

/// The task, if it is open.
fn open<'a>(turn: &'a Turn<'_>, at: StepRef) -> Result<&'a HumanWork, Rejection> {
    let run = turn.live_run(at.run).map_err(|rejection| match rejection {
        Rejection::RunEnded(_) => Rejection::HumanTaskClosed(at),
        other => other,
    })?;
    match run.step(at.step).map(|step| &step.activity) {
        Some(Activity::Human(work)) => Ok(work),
        None | Some(Activity::Kept(_)) if (1..=run.last_id).contains(&at.step.0) => {
            Err(Rejection::HumanTaskClosed(at))
        }
        _ => Err(Rejection::HumanTaskMissing(at)),
    }
}

/// Refuses someone while somebody else has the task.
fn check_holder(whose: &Whose, by: &Str) -> Result<(), Rejection> {
    match &whose.assignee {
        Some(holder) if holder != by => Err(Rejection::HumanTaskTaken(holder.clone())),
        _ => Ok(()),
    }
}

fn check_comment(text: Option<&Str>) -> Result<(), Rejection> {
    match text {
        Some(text) if text.is_empty() => Err(Rejection::Invalid(
            "a comment must not be empty; leave it out instead".into(),
        )),
        Some(text) if text.len() > REASON_BYTES_MAX => Err(Rejection::LimitReached(
            "bytes of a comment",
            REASON_BYTES_MAX as u64,
        )),
        _ => Ok(()),
    }
}

fn complete(
    turn: &mut Turn<'_>,
    at: StepRef,
    by: Str,
    outcome: Option<Str>,
    data: Value,
    comment: Option<Str>,
) -> Result<Reply, Rejection> {
    check_comment(comment.as_ref())?;
    check_weight("data of a human task", &data)?;
    let mut run = turn.run(at.run)?;
    let outcome = run.outcome(at.step, outcome)?;
    run.check_form(at.step, &data)?;
    let mut output = Object::new();
    output.insert("outcome".into(), Value::Text(outcome.clone()));
    output.insert("data".into(), data.clone());
    output.insert("by".into(), Value::Text(by.clone()));
    if let Some(comment) = &comment {
        output.insert("comment".into(), Value::Text(comment.clone()));
    }
    run.emit(RunEvent::HumanDecided(HumanDecided {
        step: at.step,
        by,
        outcome: Some(outcome),
        data,
        comment,
    }));
    run.complete(at.step, Value::object(output));
    run.settle();
    Ok(Reply::Done)
}

fn reject(
    turn: &mut Turn<'_>,
    at: StepRef,
    by: Str,
    reason: Option<Str>,
) -> Result<Reply, Rejection> {
    check_comment(reason.as_ref())?;
    let mut run = turn.run(at.run)?;
    let detail = match &reason {
        Some(reason) => format!("{by}: {reason}"),
        None => format!("{by} rejected the task"),
    };
    run.emit(RunEvent::HumanDecided(HumanDecided {
        step: at.step,
        by,
        outcome: None,
        data: Value::Null,
        comment: reason,
    }));
    run.fail(at.step, Failure::new("rejected", detail));
    run.settle();
    Ok(Reply::Done)
}

impl RunTurn<'_, '_> {
    /// What a human task asks of whom.
    pub(crate) fn human_work(
        &mut self,
        human: &Human,
        scope: &Scope,
    ) -> Result<Box<HumanWork>, Failure> {
        let title = self.text("the title of a human task", &human.title, scope)?;
        check_bytes("the title", &title, TITLE_BYTES_MAX)?;
        let description = match &human.description {
            Some(text) => Some(self.text("the description of a human task", text, scope)?),
            None => None,
        };
        if let Some(description) = &description {
            check_bytes("the description", description, DESCRIPTION_BYTES_MAX)?;
        }
        let now = self.now();
        let at = |turn: &mut Self, delay: &Delay| {
            let after = turn.delay(delay, scope);
            after.map(|ms| now.plus(ms))
        };
        let reminders = human.remind.iter().map(|delay| at(self, delay));
        // A set: two reminders at one instant are one.
        let reminders = reminders.collect::<Result<BTreeSet<Time>, Failure>>()?;
        let escalation = match &human.escalate {
            Some(escalate) => Some(Escalation {
                at: at(self, &escalate.after)?,
                to: self.whose(&escalate.to, scope)?,
            }),
            None => None,
        };
        Ok(Box::new(HumanWork {
            title,
            description,
            whose: self.whose(&human.to, scope)?,
            data: self.template(&human.data, scope)?,
            priority: self.priority(human.priority.as_ref(), scope)?,
            due_at: match &human.due {
                Some(due) => Some(at(self, due)?),
                None => None,
            },
            reminders: reminders.into_iter().collect(),
            escalation,
            comments: Vec::new(),
        }))
    }

    fn whose(&self, to: &Assignment, scope: &Scope) -> Result<Whose, Failure> {
        let groups = match &to.groups {
            Some(groups) => self.template(groups, scope)?,
            None => Value::Null,
        };
        let texts = |value: &Value| value.as_text().cloned();
        let groups = match &groups {
            Value::Null => Some(Vec::new()),
            Value::Array(names) => names.iter().map(texts).collect(),
            one => texts(one).map(|name| alloc::vec![name]),
        };
        let groups = groups.ok_or_else(|| {
            let what = "the groups of a human task must be text or an array of texts";
            Failure::new("expression", what)
        })?;
        let assignee = match &to.assignee {
            Some(name) => match self.template(name, scope)? {
                Value::Null => None,
                Value::Text(name) => Some(name),
                other => {
                    let what = format!("the assignee of a human task must be text, not {other}");
                    return Err(Failure::new("expression", what));
                }
            },
            None => None,
        };
        let whose = Whose { assignee, groups };
        whose
            .check()
            .map_err(|why| Failure::new("configuration", why))?;
        Ok(whose)
    }

    fn priority(&self, priority: Option<&Template>, scope: &Scope) -> Result<u32, Failure> {
        let Some(priority) = priority else {
            return Ok(PRIORITY_DEFAULT);
        };
        let value = self.template(priority, scope)?;
        let number = value.as_int().and_then(|number| u32::try_from(number).ok());
        number
            .filter(|number| *number <= PRIORITY_MAX)
            .ok_or_else(|| {
                let what = format!(
                    "the priority of a human task is a whole number from 0 to {PRIORITY_MAX}, not {value}"
                );
                Failure::new("expression", what)
            })
    }

    /// The outcome that is meant, if the task has it.
    fn outcome(&self, step: StepId, outcome: Option<Str>) -> Result<Str, Rejection> {
        let definition = self.definition();
        let node = self.state().step(step).map(|step| step.node);
        let node = node.and_then(|node| definition.node(node));
        let Some(Kind::Human(human)) = node.map(|node| &node.kind) else {
            return Err(Rejection::HumanTaskMissing(StepRef {
                run: self.id(),
                step,
            }));
        };
        match outcome {
            None if human.outcomes.is_empty() => Ok(OUTCOME_DEFAULT.into()),
            Some(outcome) if human.outcomes.is_empty() => {
                check_name("outcome", &outcome)?;
                Ok(outcome)
            }
            Some(outcome) if human.outcomes.contains(&outcome) => Ok(outcome),
            other => {
                let said = other.map_or_else(|| "none".into(), |said| format!("{said:?}"));
                let known = human.outcomes.join(", ");
                let why = format!("the outcome must be one of {known}; {said} was given");
                Err(Rejection::Invalid(why))
            }
        }
    }

    /// Refuses data that does not fit the form.
    fn check_form(&self, step: StepId, data: &Value) -> Result<(), Rejection> {
        let node = self.state().step(step).map(|step| step.node);
        let fits = self.definition().fits(node, FORM, data);
        fits.map_err(|failure| Rejection::Invalid(failure.detail.unwrap_or_default().to_string()))
    }

    /// An instant of a human task has come: it escalates, or its person is reminded.
    pub(crate) fn human_due(&mut self, step: StepId) {
        let now = self.now();
        let Some(work) = self.state().human(step) else {
            return;
        };
        let escalation = work.escalation.as_ref().filter(|due| due.at <= now);
        let to = escalation.map(|due| due.to.clone());
        let is_reminded = work.reminders.first().is_some_and(|first| *first <= now);
        if is_reminded {
            self.emit(RunEvent::HumanReminded(StepOnly { step }));
            self.tell(step, REMINDED_TYPE);
        }
        if let Some(to) = to {
            self.emit(RunEvent::HumanEscalated(HumanEscalated { step, to }));
            self.tell(step, ESCALATED_TYPE);
        }
    }

    /// Tells whoever listens right now what became of a human task.
    fn tell(&mut self, id: StepId, event_type: &str) {
        let (run, definition) = (self.state(), self.definition());
        let (Some(step), Some(work)) = (run.step(id), run.human(id)) else {
            return;
        };
        let text = |text: &Str| Value::Text(text.clone());
        let task = Value::text(format!(
            "{}",
            StepRef {
                run: run.id,
                step: id
            }
        ));
        let name = definition.node(step.node).map(|node| text(&node.name));
        let groups = work.whose.groups.iter().map(text).collect();
        let at = |at: Time| Value::text(rfc3339(at));
        let data = Value::from([
            ("task", task.clone()),
            ("run", Value::text(format!("{}", run.id))),
            ("workflow", text(&run.workflow)),
            ("name", name.unwrap_or_default()),
            ("title", text(&work.title)),
            (
                "assignee",
                work.whose.assignee.as_ref().map(text).unwrap_or_default(),
            ),
            ("groups", Value::array(groups)),
            ("priority", Value::Int(i64::from(work.priority))),
            ("createdAt", at(step.entered_at)),
            ("dueAt", work.due_at.map(at).unwrap_or_default()),
        ]);
        let (verb, left) = (
            event_type.rsplit('.').next().unwrap_or_default(),
            work.reminders.len(),
        );
        let id = Value::text(format!("{}.{}-{verb}-{left}", run.id, id.0));
        let members = [
            ("id", id),
            ("type", Value::from(event_type)),
            ("subject", task),
            ("data", data),
        ];
        let members = members.map(|(key, value)| (Str::from(key), value));
        let event = self.event(members.into_iter().collect());
        self.publish(event, 0);
    }
}

fn check_bytes(what: &str, text: &str, most: usize) -> Result<(), Failure> {
    if text.len() > most {
        let why = format!(
            "{what} of a human task has at most {most} bytes, not {}",
            text.len()
        );
        return Err(Failure::new("configuration", why));
    }
    Ok(())
}

impl Whose {
    /// Why it cannot be, if it cannot.
    fn check(&self) -> Result<(), alloc::string::String> {
        if self.groups.len() > GROUPS_MAX {
            return Err(format!(
                "a human task has at most {GROUPS_MAX} groups, not {}",
                self.groups.len()
            ));
        }
        let groups = self
            .groups
            .iter()
            .map(|group| ("the name of a group", group));
        let assignee = self
            .assignee
            .iter()
            .map(|name| ("the name of an assignee", name));
        for (what, name) in groups.chain(assignee) {
            check_name(what, name).map_err(|rejection| format!("{rejection}"))?;
        }
        Ok(())
    }
}

impl HumanWork {
    /// Makes a fact of this task true. Facts about anything else change nothing.
    pub fn apply(&mut self, fact: &RunEvent, at: Time) {
        match fact {
            RunEvent::HumanClaimed(fact) => self.whose.assignee = Some(fact.by.clone()),
            RunEvent::HumanReleased(_) => self.whose.assignee = None,
            RunEvent::HumanAssigned(fact) => self.whose = fact.to.clone(),
            RunEvent::HumanEscalated(fact) => {
                self.whose = fact.to.clone();
                self.escalation = None;
            }
            RunEvent::HumanReminded(_) => self.reminders.retain(|due| *due > at),
            RunEvent::HumanCommented(fact) => self.comments.push(Comment {
                by: fact.by.clone(),
                at,
                text: fact.text.clone(),
            }),
            _ => {}
        }
    }

    /// The next instant at which time alone changes something.
    pub(crate) fn due(&self) -> Option<Time> {
        let escalation = self.escalation.as_ref().map(|due| due.at);
        self.reminders
            .first()
            .copied()
            .into_iter()
            .chain(escalation)
            .min()
    }
}

impl Run {
    /// An open human task.
    #[must_use]
    pub fn human(&self, step: StepId) -> Option<&HumanWork> {
        match &self.step(step)?.activity {
            Activity::Human(work) => Some(work),
            _ => None,
        }
    }

    /// Makes a fact of a human task true.
    pub(crate) fn apply_human(&mut self, fact: &RunEvent, now: Time) {
        let step = step_of(fact).and_then(|step| self.steps.get_mut(&step));
        if let Some(Activity::Human(work)) = step.map(|step| &mut step.activity) {
            work.apply(fact, now);
        }
    }
}

/// The step of a fact about a human task.
fn step_of(fact: &RunEvent) -> Option<StepId> {
    Some(match fact {
        RunEvent::HumanClaimed(fact) | RunEvent::HumanReleased(fact) => fact.step,
        RunEvent::HumanAssigned(fact) => fact.step,
        RunEvent::HumanEscalated(fact) => fact.step,
        RunEvent::HumanReminded(fact) => fact.step,
        RunEvent::HumanCommented(fact) => fact.step,
        RunEvent::HumanDecided(fact) => fact.step,
        _ => return None,
    })
}
