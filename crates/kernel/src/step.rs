//! Owns one visit to a node: a token comes in, data is shaped, the node does its work, the token goes on.
//!
//! Order of shaping, as the DSL has it: `if` on the raw input, `input`, the work, `output`, `export`.
//! A node that needs no time is one fact; one that waits is a step until its work is done.

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use graph::ir::{Case, Join, Withdraw};
use graph::value::Value;
use graph::{Failure, Kind, Next, Node, NodeIndex};

use crate::eval::{Scope, bounded};
use crate::event::{
    RunEvent, StepBegan, StepCompleted, StepEntered, StepFailed, StepOnly, StepPassed, TokenExited,
};
use crate::id::{FrameId, ROOT_FRAME, StepId, Time};
use crate::limits::{RUN_STEPS_LIVE_MAX, RUN_STEPS_MAX};
use crate::split::way_past;
use crate::state::{Activity, Due, Ending, Frame, Nothing, Phase, Run, Step, Undo};
use crate::turn::{Move, RunTurn, Via};

/// A token on a node.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// Where.
    pub frame: FrameId,
    /// Index of the node.
    pub node: u32,
    /// The raw input.
    pub input: Value,
    /// Its step, if it has one already.
    pub step: Option<StepId>,
    /// The edge it came by, if the node tells them apart.
    pub edge: Option<u32>,
}

/// What came of a node's work at once.
enum Work {
    /// It is done: its raw output, and where to if not to the node's `next`.
    Done(Value, Option<Next>),
    /// It takes time.
    Takes(Box<Activity>),
    /// The token goes on, and what goes on elsewhere ends.
    Withdraws(Withdraw),
    /// Several tokens go on, each by one of the node's ways.
    Splits(Vec<(u32, Next)>),
    /// The token waits in a join, or in a merge.
    Joins(Option<Join>),
}

impl Work {
    fn takes(activity: Activity) -> Work {
        Work::Takes(Box::new(activity))
    }
}

impl RunTurn<'_, '_> {
    /// Moves a token along an edge.
    pub(crate) fn advance(&mut self, frame: FrameId, next: Next, data: Value, via: Option<Via>) {
        let Some(open) = self.state().frames.get(&frame) else {
            return;
        };
        if open.ending.is_some() {
            return self.close_if_empty(frame);
        }
        match next {
            Next::Node(NodeIndex(node)) => {
                let edge = via.and_then(|via| self.definition().edge(via, node));
                self.enter(&Token {
                    edge,
                    ..Token::at(frame, node, data)
                });
            }
            Next::Exit if self.is_last(frame, open) => {
                self.close(frame, data);
            }
            Next::Exit => self.emit(RunEvent::TokenExited(TokenExited { frame, data })),
            Next::End => {
                self.end_frame(ROOT_FRAME, Ending::Completed(data.clone()));
                // A clean-up or compensation outlives the end of the run's work: it just runs out.
                if self
                    .state()
                    .frames
                    .get(&frame)
                    .is_some_and(|open| open.ending.is_none())
                {
                    self.advance(frame, Next::Exit, data, None);
                }
            }
        }
    }

    /// Lets a token onto a node, unless the turn is spent.
    fn enter(&mut self, token: &Token) {
        self.transitions += 1;
        let run = self.state();
        if run.entered.max(u64::from(run.last_id)) >= RUN_STEPS_MAX {
            return self.stop(Failure::new(
                "runtime",
                format!("the run reached the limit of {RUN_STEPS_MAX} steps and bodies"),
            ));
        }
        if run.steps.len() >= RUN_STEPS_LIVE_MAX {
            return self.stop(Failure::new(
                "runtime",
                format!("the run reached the limit of {RUN_STEPS_LIVE_MAX} steps at once"),
            ));
        }
        if self.is_spent() {
            let activity = Activity::Yielded(Due { at: self.now() });
            self.enter_step(token, activity, None, None);
        } else {
            self.begin(token);
        }
    }

    /// Begins a node's work.
    pub(crate) fn begin(&mut self, token: &Token) {
        let definition = self.definition();
        let Some(node) = definition.node(token.node) else {
            return self.stop(Failure::new(
                "configuration",
                format!("the workflow has no node {}", token.node),
            ));
        };
        let raw = Scope {
            step: token.step,
            ..Scope::of_node(token.frame, token.node, token.input.clone())
        };
        match self.holds(node.when.as_ref(), &raw) {
            Ok(true) => {}
            Ok(false) => return self.skip(token, node),
            Err(failure) => return self.fail_token(token, failure),
        }
        let fits = definition.fits(Some(token.node), "input", &token.input);
        let shaped = match fits.and_then(|()| self.shape(node.input.as_ref(), &raw)) {
            Ok(shaped) => Scope {
                input: Some(shaped.clone()),
                ..raw.with_data(shaped)
            },
            Err(failure) => return self.fail_token(token, failure),
        };
        match self.work(node, &shaped, &token.input) {
            Ok(Work::Done(output, next)) => self.finish(token, node, &shaped, output, next),
            Ok(Work::Withdraws(withdraw)) => {
                let data = shaped.data.clone();
                self.finish(token, node, &shaped, data, None);
                let open = self.state().frames.get(&token.frame);
                if open.is_some_and(|open| open.ending.is_none()) {
                    self.withdraw_nodes(token.frame, &withdraw);
                }
            }
            Ok(Work::Takes(activity)) => self.take_time(token, node, &shaped, *activity),
            Ok(Work::Splits(ways)) => self.split(token, node, &shaped, &ways),
            Ok(Work::Joins(join)) => self.join(token, node, &shaped, join),
            Err(failure) => self.fail_token(token, failure),
        }
    }

    /// What a node does. Containers remember their data unless it is the raw input as it came.
    fn work(&mut self, node: &Node, scope: &Scope, raw: &Value) -> Result<Work, Failure> {
        Ok(match &node.kind {
            Kind::Set(template) => Work::Done(self.template(template, scope)?, None),
            Kind::Switch(cases) => Work::Done(scope.data.clone(), self.first_case(cases, scope)?),
            Kind::Raise(template) => {
                return Err(Failure::from_value(&self.template(template, scope)?));
            }
            Kind::Emit(template) => Work::Done(self.emit_event(template, scope)?, None),
            Kind::Wait(wait) => Work::takes(Activity::Timer(Due {
                at: self.wait_until(wait, scope)?,
            })),
            Kind::Listen(listen) => Work::takes(self.listening(listen, scope)?),
            Kind::Task(task) => Work::takes(Activity::Task(self.task_work(task, scope)?)),
            Kind::Child(child) => Work::takes(Activity::Child(self.awaited(child, scope)?)),
            Kind::Human(human) => Work::takes(Activity::Human(self.human_work(human, scope)?)),
            Kind::Split(cases) => Work::Splits(self.all_cases(node, cases, scope)?),
            Kind::Threads(count) => Work::Splits(self.threads(count, node.next, scope)?),
            Kind::Join(join) => Work::Joins(Some(*join)),
            Kind::Merge => Work::Joins(None),
            Kind::Withdraw(withdraw) => Work::Withdraws(withdraw.clone()),
            Kind::Milestone(milestone) => {
                match (
                    self.is_reached(scope.frame, milestone.node),
                    milestone.otherwise,
                ) {
                    (true, _) => Work::Done(scope.data.clone(), None),
                    (false, Some(otherwise)) => Work::Done(scope.data.clone(), Some(otherwise)),
                    (false, None) => Work::takes(Activity::Milestone(Nothing {})),
                }
            }
            Kind::Do(_)
            | Kind::Loop(_)
            | Kind::ForEach(_)
            | Kind::Fork(_)
            | Kind::Try(_)
            | Kind::Lock(_)
            | Kind::Saga(_) => Work::takes(Activity::Region(self.region(node, scope, raw)?)),
        })
    }

    fn first_case(&mut self, cases: &[Case], scope: &Scope) -> Result<Option<Next>, Failure> {
        for case in cases {
            if self.holds(case.when.as_ref(), scope)? {
                return Ok(Some(case.next));
            }
        }
        Ok(None)
    }

    fn wait_until(&mut self, wait: &graph::ir::Wait, scope: &Scope) -> Result<Time, Failure> {
        match wait {
            graph::ir::Wait::For(delay) => Ok(self.now().plus(self.delay(delay, scope)?)),
            graph::ir::Wait::Until(template) => {
                crate::eval::read_instant(&self.template(template, scope)?)
            }
        }
    }

    /// A token's work takes time: it becomes a step.
    fn take_time(&mut self, token: &Token, node: &Node, scope: &Scope, activity: Activity) {
        let deadline = match self.delay_if(node.timeout.as_ref(), scope) {
            Ok(timeout) => timeout.map(|ms| self.now().plus(ms)),
            Err(failure) => return self.fail_token(token, failure),
        };
        let opens = matches!(activity, Activity::Region(_));
        let listens = match &activity {
            Activity::Region(region) => region.more.is_some() || region.listening.is_some(),
            other => other.listening().is_some(),
        };
        // A container keeps the data of its bodies, and that is it.
        let shaped = (node.input.is_some()
            && !opens
            && (matches!(&node.kind, Kind::Wait(_))
                || matches!(&node.kind, Kind::Child(child) if child.echo)
                || self.definition().sees_input(node)))
        .then(|| scope.data.clone());
        let step = match token.step {
            Some(step) => {
                self.emit(RunEvent::StepBegan(StepBegan {
                    step,
                    activity,
                    deadline,
                    shaped,
                }));
                step
            }
            None => self.enter_step(token, activity, deadline, shaped),
        };
        if listens {
            // Before its first bodies are opened, so that elements that came early are there.
            self.receive_kept(step);
        }
        if opens {
            self.open_region(step);
        }
    }

    fn enter_step(
        &mut self,
        token: &Token,
        activity: Activity,
        deadline: Option<Time>,
        shaped: Option<Value>,
    ) -> StepId {
        let step = StepId(self.new_id());
        let (frame, node, edge) = (token.frame, token.node, token.edge);
        let input =
            (!is_same(self.state().data_around(frame), &token.input)).then(|| token.input.clone());
        self.emit(RunEvent::StepEntered(StepEntered {
            step,
            frame,
            node,
            input,
            deadline,
            activity,
            shaped,
            edge,
        }));
        step
    }

    /// A step's work is done.
    pub(crate) fn complete(&mut self, step: StepId, output: Value) {
        self.complete_to(step, output, None);
    }

    /// A wait is over: its data goes on.
    pub(crate) fn complete_wait(&mut self, step: StepId) {
        self.complete_with(step, None, None);
    }

    /// A step's work is done and it says where to go.
    pub(crate) fn complete_to(&mut self, step: StepId, output: Value, next: Option<Next>) {
        self.complete_with(step, Some(output), next);
    }

    pub(crate) fn complete_with(&mut self, id: StepId, output: Option<Value>, next: Option<Next>) {
        let Some(step) = self.state().step(id) else {
            return;
        };
        if self.state().suspended {
            return self.keep_outcome(id, output, None);
        }
        let definition = self.definition();
        let Some(node) = definition.node(step.node) else {
            return;
        };
        let (token, scope, output) = self.result_of(id, step, output);
        self.finish(&token, node, &scope, output, next);
    }

    /// A step's work was done before its run was cancelled: it counts, but nothing goes on from there.
    pub(crate) fn complete_last(&mut self, id: StepId, output: Option<Value>) {
        let definition = self.definition();
        let Some(step) = self.state().step(id) else {
            return;
        };
        let Some(node) = definition.node(step.node) else {
            return;
        };
        let (token, scope, output) = self.result_of(id, step, output);
        match self.shape_output(node, &scope, output) {
            Ok((output, context)) => self.leave(&token, node, output, context, None),
            Err(failure) => self.keep_outcome(id, None, Some(failure)),
        }
    }

    /// A step's token, how its node's expressions see the run, and its raw output; none is what came in.
    fn result_of(&self, id: StepId, step: &Step, output: Option<Value>) -> (Token, Scope, Value) {
        // As it was on entry: what it was made of may have changed since.
        let input = match &step.shaped {
            Some(shaped) => shaped.clone(),
            None => self.state().data_of(step).clone(),
        };
        let token = Token {
            frame: step.frame,
            node: step.node,
            input: self.state().input_of(step).clone(),
            step: Some(id),
            edge: None,
        };
        let output = output.unwrap_or_else(|| input.clone());
        let scope = Scope {
            input: Some(input),
            step: Some(id),
            ..Scope::of_node(token.frame, token.node, token.input.clone())
        };
        (token, scope, output)
    }

    /// Shapes a raw output and lets the token go on.
    pub(crate) fn finish(
        &mut self,
        token: &Token,
        node: &Node,
        scope: &Scope,
        output: Value,
        next: Option<Next>,
    ) {
        match self.shape_output(node, scope, output) {
            Ok((output, context)) => self.leave(token, node, output, context, next),
            Err(failure) => self.fail_token(token, failure),
        }
    }

    /// The shaped output, and the new context if the node exports one.
    pub(crate) fn shape_output(
        &mut self,
        node: &Node,
        scope: &Scope,
        output: Value,
    ) -> Result<(Value, Option<Value>), Failure> {
        let output = bounded(output)?;
        let seen = Scope {
            output: Some(output.clone()),
            ..scope.with_data(output)
        };
        let shaped = self.shape(node.output.as_ref(), &seen)?;
        let definition = self.definition();
        definition.fits(scope.node, "output", &shaped)?;
        let Some(export) = &node.export else {
            return Ok((shaped, None));
        };
        let seen = Scope {
            output: Some(shaped.clone()),
            ..scope.with_data(shaped.clone())
        };
        let context = self.template(export, &seen)?;
        definition.fits(scope.node, "export", &context)?;
        definition.fits(None, "export", &context)?;
        Ok((shaped, Some(context)))
    }

    /// A token leaves its node well.
    fn leave(
        &mut self,
        token: &Token,
        node: &Node,
        output: Value,
        context: Option<Value>,
        next: Option<Next>,
    ) {
        self.left(token, node, output.clone(), context);
        self.push(Move::Advance {
            frame: token.frame,
            next: next.unwrap_or(node.next),
            data: output,
            via: Some(Via {
                node: token.node,
                way: way_past(node),
            }),
        });
    }

    /// A token has done with its node.
    pub(crate) fn left(
        &mut self,
        token: &Token,
        node: &Node,
        output: Value,
        context: Option<Value>,
    ) {
        let (undoable, saga) = (node.undo.is_some(), self.saga_around(token.frame));
        match token.step {
            Some(step) => self.emit(RunEvent::StepCompleted(StepCompleted {
                step,
                output,
                context,
                saga,
                undoable,
                skipped: None,
            })),
            None => {
                let saga = saga.filter(|_| undoable);
                let (frame, node) = (token.frame, token.node);
                self.emit(RunEvent::StepPassed(StepPassed {
                    frame,
                    node,
                    output,
                    context,
                    saga,
                    skipped: None,
                }));
            }
        }
    }

    /// A token goes past a node whose condition does not hold. There is nothing that a saga could undo.
    fn skip(&mut self, token: &Token, node: &Node) {
        self.emit(match token.step {
            Some(step) => RunEvent::StepCompleted(StepCompleted {
                step,
                output: token.input.clone(),
                context: None,
                saga: None,
                undoable: false,
                skipped: Some(true),
            }),
            None => RunEvent::StepPassed(StepPassed {
                frame: token.frame,
                node: token.node,
                output: token.input.clone(),
                context: None,
                saga: None,
                skipped: Some(true),
            }),
        });
        self.push(Move::Advance {
            frame: token.frame,
            next: node.next,
            data: token.input.clone(),
            via: Some(Via {
                node: token.node,
                way: way_past(node),
            }),
        });
    }

    /// The nearest saga whose body a frame lies in.
    fn saga_around(&self, mut frame: FrameId) -> Option<StepId> {
        let definition = self.definition();
        let run = self.state();
        loop {
            let open = run.frames.get(&frame)?;
            let owner = open.owner?;
            let step = run.step(owner)?;
            let is_saga = matches!(definition.node(step.node)?.kind, Kind::Saga(_));
            if is_saga && open.phase == Phase::Body {
                return Some(owner);
            }
            frame = step.frame;
        }
    }

    /// A token's work failed: so does the frame around it, unless a container there knows better.
    pub(crate) fn fail_token(&mut self, token: &Token, failure: Failure) {
        let definition = self.definition();
        let failure = definition
            .node(token.node)
            .map_or(failure.clone(), |node| failure.at(&node.path));
        let (step, node) = (token.step, token.node);
        self.emit(RunEvent::StepFailed(StepFailed {
            step,
            node,
            failure: failure.clone(),
        }));
        self.end_frame(token.frame, Ending::Failed(failure));
        self.close_if_empty(token.frame);
    }

    /// A step failed. A container withdraws its bodies first.
    pub(crate) fn fail(&mut self, id: StepId, failure: Failure) {
        let Some(step) = self.state().step(id) else {
            return;
        };
        if step.region().is_some() {
            return self.fail_region(id, failure);
        }
        if self.state().suspended {
            return self.keep_outcome(id, None, Some(failure));
        }
        let token = Token {
            frame: step.frame,
            node: step.node,
            input: Value::Null,
            step: Some(id),
            edge: None,
        };
        self.fail_token(&token, failure);
    }

    /// Withdraws a step.
    pub(crate) fn withdraw(&mut self, id: StepId) {
        let Some(step) = self.state().step(id) else {
            return;
        };
        let frame = step.frame;
        if step.region().is_some() {
            return self.withdraw_region(id, None);
        }
        self.cancel_child(id);
        self.emit(RunEvent::StepCancelled(StepOnly { step: id }));
        self.close_if_over(frame);
    }

    /// Closes a frame that no token will leave any more.
    pub(crate) fn close_if_done(&mut self, frame: FrameId) {
        let Some(open) = self.state().frames.get(&frame) else {
            return;
        };
        if self.is_last(frame, open) {
            let data = open.output.clone().unwrap_or_default();
            self.push(Move::Close { frame, data });
        }
    }

    /// Closes a frame whose last token was withdrawn.
    pub(crate) fn close_if_over(&mut self, frame: FrameId) {
        let open = self.state().frames.get(&frame);
        match open.is_some_and(|open| open.ending.is_some()) {
            true => self.close_if_empty(frame),
            false => self.close_if_done(frame),
        }
    }

    /// Whether nothing goes on in a frame but what has just come to its end.
    fn is_last(&self, frame: FrameId, open: &Frame) -> bool {
        open.steps.is_empty() && !self.is_moving(frame) && !self.holds_merge(open)
    }

    /// Closes a frame that is ending once nothing goes on in it.
    pub(crate) fn close_if_empty(&mut self, frame: FrameId) {
        let Some(open) = self.state().frames.get(&frame) else {
            return;
        };
        if open.ending.is_some() && open.steps.is_empty() {
            self.push(Move::Close {
                frame,
                data: Value::Null,
            });
        }
    }

    /// Nothing goes on in a frame any more.
    pub(crate) fn close(&mut self, frame: FrameId, data: Value) {
        let Some(open) = self.state().frames.get(&frame) else {
            return;
        };
        let (ending, owner) = (open.ending.clone(), open.owner);
        let starved = || {
            open.joins
                .iter()
                .find(|(node, arrived)| self.is_starved(**node, arrived))
                .map(|(node, _)| *node)
        };
        if ending.is_none()
            && let Some(node) = starved()
        {
            let failure = Failure::new(
                "runtime",
                "the join waits for tokens that can no longer come",
            );
            return self.fail_token(&Token::at(frame, node, Value::Null), failure);
        }
        match owner {
            None => self.end_root(ending, data),
            Some(owner) => self.close_body(owner, frame, ending, data),
        }
    }
}

/// Whether two values are the same piece of data; equal ones in different places need not be.
pub(crate) fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Arc::ptr_eq(a, b),
        (Value::Array(a), Value::Array(b)) => Arc::ptr_eq(a, b),
        (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b),
        _ => a == b,
    }
}

impl Run {
    pub(crate) fn apply_entered(&mut self, entered: &StepEntered, now: Time) {
        self.last_id = self.last_id.max(entered.step.0);
        self.entered += 1;
        if let Some(frame) = self.frames.get_mut(&entered.frame) {
            frame.steps.insert(entered.step);
        }
        let step = Step {
            node: entered.node,
            frame: entered.frame,
            input: entered.input.clone(),
            entered_at: now,
            deadline: entered.deadline,
            withdrawing: false,
            activity: entered.activity.clone(),
            shaped: entered.shaped.clone(),
            edge: entered.edge,
        };
        self.steps.insert(entered.step, Box::new(step));
    }

    pub(crate) fn apply_passed(&mut self, passed: &StepPassed) {
        self.entered += 1;
        self.apply_context(passed.context.as_ref());
        if let Some(saga) = passed.saga {
            self.remember(
                saga,
                [Undo {
                    node: passed.node,
                    output: passed.output.clone(),
                }],
            );
        }
    }

    pub(crate) fn apply_began(&mut self, began: &StepBegan) {
        if let Some(step) = self.steps.get_mut(&began.step) {
            step.activity = began.activity.clone();
            step.deadline = began.deadline;
            step.shaped.clone_from(&began.shaped);
        }
    }

    /// A completed step is remembered by the saga around it; a completed saga hands on what it remembers.
    pub(crate) fn apply_completed(&mut self, completed: &StepCompleted) {
        self.apply_context(completed.context.as_ref());
        let node = self.step(completed.step).map(|step| step.node);
        if let Some(saga) = completed.saga {
            let inherited = self
                .region_mut(completed.step)
                .map(|region| core::mem::take(&mut region.undo));
            let own = node.filter(|_| completed.undoable).map(|node| Undo {
                node,
                output: completed.output.clone(),
            });
            self.remember(saga, inherited.into_iter().flatten().chain(own));
        }
        self.apply_left(Some(completed.step));
    }

    fn remember(&mut self, saga: StepId, undo: impl IntoIterator<Item = Undo>) {
        if let Some(region) = self.region_mut(saga) {
            region.undo.extend(undo);
        }
    }

    pub(crate) fn apply_left(&mut self, step: Option<StepId>) {
        let Some(id) = step else { return };
        let Some(step) = self.steps.remove(&id) else {
            return;
        };
        if let Some(frame) = self.frames.get_mut(&step.frame) {
            frame.steps.remove(&id);
        }
    }

    pub(crate) fn apply_context(&mut self, context: Option<&Value>) {
        if let Some(context) = context {
            self.context = context.clone();
        }
    }

    pub(crate) fn apply_token_exited(&mut self, exited: &TokenExited) {
        if let Some(frame) = self.frames.get_mut(&exited.frame) {
            frame.output = Some(exited.data.clone());
        }
    }
}
