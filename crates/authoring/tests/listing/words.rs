//! Owns the words of listings for nodes that say much: tasks, events, lists.
//!
//! Invariant: what a node says beyond its defaults is in its line, so that a listing that is the same means the same.

use graph::ir::{Catch, ForEach, Listen, Need, Task};

use crate::{delay, expr, need, retry, template};

/// When a for-each ends before its last element, and what more it takes.
pub(crate) fn enough(each: &ForEach) -> String {
    let mut text = String::new();
    if each.need != Need::All || each.until.is_some() {
        let until = each.until.as_ref().map_or("-".into(), expr);
        text += &format!(
            ", {} until {until} losers {:?}",
            need(each.need),
            each.losers
        );
    }
    if let Some(more) = &each.more {
        let filters = vec![more.filter.clone()];
        let listen = Listen {
            filters,
            need: Need::All,
            envelope: false,
            until: None,
            each: None,
        };
        text += &format!(", {} more: {}", more.max, events(&listen));
    }
    text
}

pub(crate) fn worker_task(task: &Task) -> String {
    let mut text = format!(
        "task {} on {} with {}",
        template(&task.name),
        template(&task.queue),
        template(&task.input)
    );
    let timeouts = [
        ("queue", &task.queue_timeout),
        ("run", &task.run_timeout),
        ("heartbeat", &task.heartbeat_timeout),
    ];
    for (word, value) in timeouts {
        if let Some(value) = value {
            text += &format!(", {word} timeout {}", delay(value));
        }
    }
    if let Some(priority) = &task.priority {
        text += &format!(", priority {}", expr(priority));
    }
    if let Some(policy) = &task.retry {
        text += &format!(", {}, then {:?}", retry(policy), task.exhausted);
    }
    text
}

pub(crate) fn events(listen: &Listen) -> String {
    let mut text = format!(
        "listen {}{}",
        need(listen.need),
        if listen.envelope { ", envelope" } else { "" }
    );
    text += &(listen.until.iter().map(|until| format!(" until {until:?}"))).collect::<String>();
    for filter in &listen.filters {
        text += &format!(", {}", filter.event_type);
        text += if filter.transient { " (transient)" } else { "" };
        for (name, from) in &filter.bind {
            text += &format!(" {name}:{}", expr(from));
        }
        for (key, value) in &filter.with {
            text += &format!(" {key}={}", template(value));
        }
        if let Some(when) = &filter.when {
            text += &format!(" when {}", expr(when));
        }
        for (from, to) in &filter.correlate {
            text += &format!(" {}={}", expr(from), template(to));
        }
    }
    text
}

pub(crate) fn caught(catch: &Catch) -> String {
    let mut text = format!(", catching ${}", catch.bind);
    for (key, value) in &catch.with {
        text += &format!(" {key}={value}");
    }
    if let Some(when) = &catch.when {
        text += &format!(" when {}", expr(when));
    }
    if let Some(when) = &catch.except_when {
        text += &format!(" except when {}", expr(when));
    }
    if let Some(policy) = &catch.retry {
        text += &format!(", {}", retry(policy));
    }
    if let Some(next) = &catch.next {
        text += &format!(", then {next:?}");
    }
    text
}
