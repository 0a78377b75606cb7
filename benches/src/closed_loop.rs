//! Owns the closed loop: a fixed number of callers, each with one call under way.
//!
//! Prints `begin` and `end` at the borders of what is measured; calls that end between them count. A caller
//! whose calls keep failing gives up, so that a server that is gone does not make the loop spin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::arguments::Arguments;
use crate::latencies::Latencies;

/// Failures after which a caller gives up.
const FAILURES_MAX: u64 = 10;

/// One caller.
pub(crate) trait Caller: Send + 'static {
    /// One call; the error says what was wrong with the answer.
    fn call(&mut self) -> impl Future<Output = Result<(), String>> + Send;
}

/// How much to call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Callers.
    pub(crate) concurrency: u64,
    /// Connections that they share.
    pub(crate) channels: u64,
    warmup: Duration,
    seconds: u64,
    /// Calls after which to end before the time is over; 0 for no such bound.
    count: u64,
}

impl Plan {
    pub(crate) fn read(arguments: &Arguments) -> anyhow::Result<Plan> {
        let concurrency = arguments.number("concurrency", 1)?.max(1);
        Ok(Plan {
            concurrency,
            channels: arguments.number("channels", 1)?.clamp(1, concurrency),
            warmup: Duration::from_millis(arguments.number("warmup-ms", 1_000)?),
            seconds: arguments.number("seconds", 4)?,
            count: arguments.number("count", 0)?,
        })
    }
}

/// What the callers share.
struct Shared {
    measuring: AtomicBool,
    over: AtomicBool,
    calls_left: AtomicU64,
}

/// What one caller saw.
struct Seen {
    latencies: Latencies,
    failures: u64,
    first_failure: Option<String>,
}

/// Runs the callers to the end of the plan and reports. Every call is waited for; those that end after the
/// measured time are not in the figures, but their failures are.
pub(crate) async fn run<C: Caller>(plan: Plan, callers: Vec<C>) -> anyhow::Result<Value> {
    let shared = Arc::new(Shared {
        measuring: AtomicBool::new(false),
        over: AtomicBool::new(false),
        calls_left: AtomicU64::new(if plan.count == 0 {
            u64::MAX
        } else {
            plan.count
        }),
    });
    let mut at_work = JoinSet::new();
    if plan.warmup.is_zero() {
        begin(&shared);
    }
    for caller in callers {
        at_work.spawn(call_on(caller, shared.clone()));
    }
    if !plan.warmup.is_zero() {
        tokio::time::sleep(plan.warmup).await;
        begin(&shared);
    }
    let begun = Instant::now();
    let mut seen = Vec::new();
    let all = async {
        while let Some(one) = at_work.join_next().await {
            seen.push(one?);
        }
        anyhow::Ok(())
    };
    let ended_early = tokio::time::timeout(Duration::from_secs(plan.seconds), all).await;
    shared.over.store(true, Ordering::Relaxed);
    let over = begun.elapsed();
    println!("end");
    if let Ok(ended) = ended_early {
        ended?;
    }
    while let Some(one) = at_work.join_next().await {
        seen.push(one?);
    }
    Ok(report(&seen, over))
}

fn begin(shared: &Shared) {
    println!("begin");
    shared.measuring.store(true, Ordering::Relaxed);
}

async fn call_on<C: Caller>(mut caller: C, shared: Arc<Shared>) -> Seen {
    let mut seen = Seen {
        latencies: Latencies::new(),
        failures: 0,
        first_failure: None,
    };
    let take = |left: u64| left.checked_sub(1);
    while !shared.over.load(Ordering::Relaxed)
        && seen.failures < FAILURES_MAX
        && shared
            .calls_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    {
        let sent = Instant::now();
        match caller.call().await {
            Ok(()) => {
                if shared.measuring.load(Ordering::Relaxed) && !shared.over.load(Ordering::Relaxed)
                {
                    seen.latencies.record(sent.elapsed());
                }
            }
            Err(failure) => {
                seen.failures += 1;
                seen.first_failure.get_or_insert(failure);
            }
        }
    }
    seen
}

fn report(seen: &[Seen], over: Duration) -> Value {
    let mut latencies = Latencies::new();
    for one in seen {
        latencies.add(&one.latencies);
    }
    let mut report = latencies.report(over);
    report["failures"] = json!(seen.iter().map(|one| one.failures).sum::<u64>());
    report["first_failure"] = json!(seen.iter().find_map(|one| one.first_failure.as_ref()));
    report
}

/// Runs a future on this thread alone: a generator that takes both cores leaves none to what it measures.
pub(crate) fn on_one_thread<T>(
    future: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future)
}
