//! Owns the list of a graph's expressions: what must compile before it is run.
//!
//! Invariant: every expression that the kernel may evaluate is found here; one that is not would fail where it
//! is used.

use alloc::vec::Vec;

use crate::duration::Delay;
use crate::ir::{Filter, Graph, Human, Kind, Listen, Lock, Node, Retry, Task, Until, Wait};
use crate::template::{Expr, Template};

/// Every expression of a graph.
#[must_use]
pub fn expressions(graph: &Graph) -> Vec<&Expr> {
    let mut found = of_graph(graph);
    graph
        .nodes
        .iter()
        .for_each(|node| of_node(node, &mut found));
    found
}

/// The expressions of the workflow as a whole.
pub(super) fn of_graph(graph: &Graph) -> Vec<&Expr> {
    let mut found = Vec::new();
    for template in graph.input.iter().chain(&graph.output) {
        collect_template(template, &mut found);
    }
    collect_delay(graph.timeout.as_ref(), &mut found);
    found.extend(graph.attributes.iter().map(|attribute| &attribute.from));
    found.extend(graph.concurrency.iter().map(|concurrency| &concurrency.key));
    found.extend(&graph.priority);
    let filters = graph.trigger.iter().flat_map(Listen::all_filters);
    filters.for_each(|filter| collect_filter(filter, &mut found));
    found
}

/// All expressions of a node.
pub(super) fn of_node<'g>(node: &'g Node, found: &mut Vec<&'g Expr>) {
    found.extend(&node.when);
    for template in node.input.iter().chain(&node.output).chain(&node.export) {
        collect_template(template, found);
    }
    collect_delay(node.timeout.as_ref(), found);
    match &node.kind {
        Kind::Task(task) => collect_task(task, found),
        Kind::Human(human) => collect_human(human, found),
        Kind::Threads(count) => found.push(count),
        Kind::Lock(Lock { name: template, .. })
        | Kind::Set(template)
        | Kind::Raise(template)
        | Kind::Emit(template)
        | Kind::Wait(Wait::Until(template)) => {
            collect_template(template, found);
        }
        Kind::Switch(cases) | Kind::Split(cases) => {
            found.extend(cases.iter().filter_map(|case| case.when.as_ref()));
        }
        Kind::Loop(repeat) => found.extend(repeat.repeat_while.iter().chain(&repeat.repeat_until)),
        Kind::ForEach(each) => {
            found.extend(
                each.repeat_while
                    .iter()
                    .chain(&each.until)
                    .chain([&each.items]),
            );
            each.more
                .iter()
                .for_each(|more| collect_filter(&more.filter, found));
        }
        Kind::Try(body) => {
            if let Some(catch) = &body.catch {
                found.extend(catch.when.iter().chain(&catch.except_when));
                collect_retry(catch.retry.as_ref(), found);
            }
        }
        Kind::Wait(Wait::For(delay)) => collect_delay(Some(delay), found),
        Kind::Listen(listen) => {
            listen
                .all_filters()
                .for_each(|filter| collect_filter(filter, found));
            if let Some(Until::Holds(until)) = &listen.until {
                found.push(until);
            }
        }
        Kind::Child(child) => {
            for template in [&child.workflow, &child.input]
                .into_iter()
                .chain(&child.version)
                .chain(&child.key)
            {
                collect_template(template, found);
            }
        }
        Kind::Do(_)
        | Kind::Saga(_)
        | Kind::Fork(_)
        | Kind::Join(_)
        | Kind::Merge
        | Kind::Withdraw(_)
        | Kind::Milestone(_) => {}
    }
}

fn collect_filter<'g>(filter: &'g Filter, found: &mut Vec<&'g Expr>) {
    let templates = filter.with.iter().map(|(_, template)| template);
    templates.for_each(|template| collect_template(template, found));
    found.extend(&filter.when);
    for (from, expect) in &filter.correlate {
        found.push(from);
        collect_template(expect, found);
    }
    found.extend(filter.bind.iter().map(|(_, from)| from));
}

fn collect_human<'g>(human: &'g Human, found: &mut Vec<&'g Expr>) {
    let after = human.escalate.as_ref().map(|escalate| &escalate.after);
    for delay in human.due.iter().chain(&human.remind).chain(after) {
        collect_delay(Some(delay), found);
    }
    let to = human.escalate.iter().map(|escalate| &escalate.to);
    let whose = [&human.to].into_iter().chain(to);
    let whose = whose.flat_map(|to| to.assignee.iter().chain(&to.groups));
    let texts = [&human.title, &human.data].into_iter();
    let texts = texts.chain(&human.description).chain(&human.priority);
    texts
        .chain(whose)
        .for_each(|template| collect_template(template, found));
}

fn collect_template<'g>(template: &'g Template, found: &mut Vec<&'g Expr>) {
    template.expressions(&mut |expr| found.push(expr));
}

fn collect_delay<'g>(delay: Option<&'g Delay>, found: &mut Vec<&'g Expr>) {
    if let Some(Delay::Computed(template)) = delay {
        collect_template(template, found);
    }
}

fn collect_retry<'g>(retry: Option<&'g Retry>, found: &mut Vec<&'g Expr>) {
    if let Some(retry) = retry {
        collect_delay(Some(&retry.delay), found);
        found.extend(retry.when.iter().chain(&retry.except_when));
    }
}

fn collect_task<'g>(task: &'g Task, found: &mut Vec<&'g Expr>) {
    [&task.queue, &task.name, &task.input]
        .into_iter()
        .for_each(|template| collect_template(template, found));
    for delay in [
        &task.queue_timeout,
        &task.run_timeout,
        &task.heartbeat_timeout,
    ] {
        collect_delay(delay.as_ref(), found);
    }
    collect_retry(task.retry.as_ref(), found);
    found.extend(&task.priority);
}
