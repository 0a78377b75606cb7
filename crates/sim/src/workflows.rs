//! Owns the workflows that simulated clients run: one for each way in which a run can wait.
//!
//! Invariant: with honest workers, and someone who sends what is waited for, each of them ends.

use std::sync::Arc;

use graph::Graph;
use graph::value::Str;

use crate::random::Random;

/// A workflow version ready to be deployed.
pub(crate) struct Authored {
    pub(crate) workflow: &'static str,
    pub(crate) version: String,
    pub(crate) graph: Arc<Graph>,
    pub(crate) source: Str,
}

/// Names of the workflows.
pub(crate) const NAMES: [&str; 9] = [
    "errand", "nap", "gate", "batch", "choice", "order", "family", "meeting", "till",
];

/// Event and signal types that runs wait for.
pub(crate) const SIGNALS: [&str; 3] = ["go", "paid", "met"];

const ERRAND: &str = "
  - run:
      call: task
      with:
        queue: a
        name: run
        timeouts: {run: {seconds: RUN}, heartbeat: {seconds: BEAT}}
        retry: {delay: {milliseconds: DELAY}, backoff: {exponential: {}}, limit: {attempt: {count: TRIES}}, jitter: {from: {milliseconds: 0}, to: {milliseconds: 500}}}
        exhausted: END
  - note: {set: '${ . + {noted: true} }'}
";

const NAP: &str = "
  - short: {wait: {milliseconds: DELAY}}
  - work: {call: task, with: {queue: b, name: work}}
  - long: {wait: {seconds: RUN}}
";

const GATE: &str = "
  - gate:
      try:
        - hear: {listen: {to: {one: {with: {type: go}}}}, timeout: {after: {seconds: RUN}}}
      catch:
        errors: {with: {type: timeout}}
        do:
          - late: {set: {late: true}}
  - tell: {emit: {event: {with: {type: met, source: sim, data: {mark: none}}}}}
";

const BATCH: &str = "
  - each:
      call: map
      with:
        in: .items
        concurrency: WIDE
        do:
          - first: {call: task, with: {queue: a, name: first, input: '${ {item: $item, pad: $input.pad} }', retry: {delay: {milliseconds: DELAY}, limit: {attempt: {count: TRIES}}}, exhausted: END}}
          - pause: {wait: {milliseconds: DELAY}}
";

const CHOICE: &str = "
  - race:
      call: race
      with:
        need: NEED
        losers: LOSERS
        branches:
          - worker: {call: task, with: {queue: b, name: race}}
          - clock: {wait: {seconds: RUN}}
          - signal: {listen: {to: {one: {with: {type: go}}}}}
  - both:
      fork:
        branches:
          - left: {call: task, with: {queue: a, name: left}}
          - right: {wait: {milliseconds: DELAY}}
";

const ORDER: &str = "
  - order:
      call: saga
      with:
        do:
          - reserve: {call: task, with: {queue: a, name: reserve}, compensate: [release: {call: task, with: {queue: b, name: release, retry: {delay: {milliseconds: DELAY}}}}]}
          - charge: {call: task, with: {queue: b, name: charge}, compensate: [refund: {wait: {milliseconds: DELAY}}]}
          - ship:
              try:
                - ask: {call: task, with: {queue: a, name: ship, timeouts: {queue: {seconds: RUN}}}}
              catch: {retry: {delay: {milliseconds: DELAY}, limit: {attempt: {count: TRIES}}}}
";

const FAMILY: &str = "
  - book:
      fork:
        branches:
          - one: {run: {workflow: {name: errand, version: latest, input: {from: family}}}}
          - two: {call: child, with: {workflow: nap, key: '${ \"shared-\" + (.number | tostring) }', input: {from: family}}}
  - away: {call: child, with: {workflow: gate, input: {from: family}, await: false}}
";

const MEETING: &str = "
  - meet:
      call: finally
      with:
        do:
          - all:
              listen:
                to:
                  all:
                    - {with: {type: paid}, correlate: {number: {from: .data.number, expect: '${ .number }'}}}
                    - {with: {type: met}}
        finally:
          - clean: {call: task, with: {queue: b, name: clean, retry: {delay: {milliseconds: DELAY}}}}
";

const TILL: &str = "
  - pay:
      fork:
        branches:
          - one: {call: lock, with: {name: till, scope: server, do: [take: {call: task, with: {queue: a, name: take}}]}}
          - two: {call: lock, with: {name: till, scope: workflow, limit: WIDE, do: [count: {wait: {milliseconds: DELAY}}]}, timeout: {after: {minutes: 2}}}
";

/// One workflow with figures by chance.
pub(crate) fn author(random: &mut Random, name: &'static str, patch: u64) -> Authored {
    let body = match name {
        "errand" => ERRAND,
        "nap" => NAP,
        "gate" => GATE,
        "batch" => BATCH,
        "choice" => CHOICE,
        "order" => ORDER,
        "family" => FAMILY,
        "till" => TILL,
        _ => MEETING,
    };
    let version = format!("1.0.{patch}");
    let retention = *random.pick(&["PT5S", "PT20S", "PT2M", "P7D"]);
    let timeout = if random.percent(30) {
        "timeout: {after: {minutes: 5}}\n"
    } else {
        ""
    };
    // Runs of one number come one after the other.
    let counted = match name {
        "till" => ", dev.quadrille/concurrency: {key: '${ .number }', limit: 1}",
        _ => "",
    };
    let source = format!(
        "document:\n  dsl: '1.0.3'\n  namespace: default\n  name: {name}\n  version: '{version}'\n  metadata: {{retention: {retention}{counted}}}\n{timeout}do:{body}"
    );
    let source = source
        .replace("RUN", &(1 + random.below(30)).to_string())
        .replace("BEAT", &(1 + random.below(10)).to_string())
        .replace("DELAY", &(1 + random.below(5_000)).to_string())
        .replace("TRIES", &(1 + random.below(4)).to_string())
        .replace("WIDE", &(1 + random.below(3)).to_string())
        .replace("NEED", &(1 + random.below(2)).to_string())
        .replace(
            "LOSERS",
            if random.percent(50) {
                "cancel"
            } else {
                "leave"
            },
        )
        .replace("END", if random.percent(50) { "park" } else { "fail" });
    let compiled =
        authoring::compile(&source).unwrap_or_else(|findings| panic!("{name}: {findings:?}"));
    Authored {
        workflow: name,
        version,
        graph: Arc::new(compiled.graph),
        source: source.into(),
    }
}
