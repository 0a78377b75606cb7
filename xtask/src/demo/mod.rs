//! `cargo xtask demo`: real workflows across real services, a kill -9 in the middle, and the proof that
//! nothing was lost and nothing happened twice.
//!
//! Invariant: it waits for things that happen (an effect, an end), never for time; when anything is not as
//! promised it says what, and ends with an error.

mod cast;
mod stage;
mod verdict;

use std::time::Instant;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::project::Project;
use cast::Part;
use stage::{Answer, Stage};

/// How many effects the world sees before the server is killed: when most runs are in the middle.
const EFFECTS_BEFORE_KILL: usize = 30;

/// The runs that are listed at the end; the demo has far fewer.
const RUNS_MAX: &str = "1000";

/// What the person who types it can choose.
#[derive(Debug, Default)]
struct Options {
    exit: bool,
    debug: bool,
}

/// Runs the demo.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut options = Options::default();
    for argument in arguments {
        match argument.as_str() {
            "--exit" => options.exit = true,
            "--debug" => options.debug = true,
            other => bail!("the demo does not know {other:?}; it takes --exit and --debug"),
        }
    }
    let project = Project::find()?;
    crate::dashboard::build(&project)?;
    let mut stage = Stage::set(&project, options.debug)?;
    play(&mut stage)?;
    if !options.exit {
        println!(
            "\nThe server stays up, with its dashboard at {} ; Ctrl-C ends it.",
            stage.url()
        );
        stage.stay()?;
    }
    Ok(())
}

fn play(stage: &mut Stage) -> anyhow::Result<()> {
    let services = stage.open()?;
    let ready = stage.start_server()?;
    println!(
        "server      ready after {} ms at {}",
        ready.as_millis(),
        stage.url()
    );
    stage.apply()?;
    let parts = cast::parts(&services);
    let acknowledged = until_the_kill(stage, &parts)?;
    let killed_at = Timestamp::now();
    let recovery = stage.start_server()?;
    println!(
        "server      ready again after {} ms, {} starts were acknowledged",
        recovery.as_millis(),
        acknowledged.len()
    );
    until_the_end(stage, &parts, &acknowledged)?;

    let runs = stage.ask(&["list", "runs", "-o", "json", "--limit", RUNS_MAX])?;
    let runs: Vec<Value> = serde_json::from_str(&runs).context("the list of runs is not JSON")?;
    let ledger = stage.ledger()?;
    let open = verdict::open_at(killed_at, &runs);
    println!("{open} runs were in the middle when the server was killed\n");
    if open == 0 {
        bail!("the kill came too late to show anything; try again with less load on the machine");
    }
    print!("{}", verdict::table(&parts, &runs));
    println!("\n{}", verdict::summary(&ledger));
    let flaws = verdict::judge(&parts, &acknowledged, &runs, &ledger);
    if !flaws.is_empty() {
        bail!("not as promised:\n  {}", flaws.join("\n  "));
    }
    println!(
        "Every run ended as it must, every effect happened once, every failed order was taken back in reverse order."
    );
    println!("\n{}", stage.how_to_look(&runs));
    Ok(())
}

/// Starts everything and kills the server in the middle; the starts that it acknowledged, by key and id.
fn until_the_kill(stage: &mut Stage, parts: &[Part]) -> anyhow::Result<Vec<(String, String)>> {
    let (approvals, others): (Vec<&Part>, Vec<&Part>) = parts
        .iter()
        .partition(|part| part.workflow == cast::APPROVAL);
    let mut acknowledged = start(stage, &approvals)?;
    let decision = json!({"approved": true, "by": "ada", "reason": "we need tea"});
    decide(stage, &acknowledged, "approved", &decision)?;
    let starting: Vec<_> = others
        .iter()
        .map(|part| stage.begin(&start_line(part)))
        .collect::<Result<_, _>>()?;
    let effects = stage.hear_effects(EFFECTS_BEFORE_KILL)?;
    stage.kill_server()?;
    println!(
        "kill -9     {} runs begun, {effects} effects in the world",
        parts.len()
    );
    for (part, child) in others.iter().zip(starting) {
        // A start that the crash cut off is made again later: its key finds the run if there is one.
        let answer = Answer::of(child)?;
        if answer.code == Some(0) {
            acknowledged.push((part.key.clone(), id_of(&answer)?));
        }
    }
    Ok(acknowledged)
}

/// Asks for every run again by its key, and waits until it has ended.
fn until_the_end(
    stage: &Stage,
    parts: &[Part],
    acknowledged: &[(String, String)],
) -> anyhow::Result<()> {
    let decision = json!({"approved": false, "by": "grace", "reason": "too dear"});
    decide(stage, acknowledged, "rejected", &decision)?;
    let began = Instant::now();
    let wait = ["--wait", "--timeout", "2m"].map(String::from);
    let waiting: Vec<_> = parts
        .iter()
        .map(|part| stage.begin(&[&start_line(part)[..], &wait].concat()))
        .collect::<Result<_, _>>()?;
    for (part, child) in parts.iter().zip(waiting) {
        let answer = Answer::of(child)?;
        if !matches!(answer.code, Some(0 | 1)) {
            bail!("{} did not end: {}", part.key, answer.stderr.trim());
        }
    }
    println!(
        "all ended   {:.1} s after that",
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Starts runs one after the other; keys and ids.
fn start(stage: &Stage, parts: &[&Part]) -> anyhow::Result<Vec<(String, String)>> {
    let mut started = Vec::new();
    for part in parts {
        let answer = Answer::of(stage.begin(&start_line(part))?)?;
        started.push((part.key.clone(), id_of(&answer)?));
    }
    Ok(started)
}

fn start_line(part: &Part) -> Vec<String> {
    let words = [
        "run",
        part.workflow,
        "--key",
        &part.key,
        "--input",
        &part.input.to_string(),
        "-o",
        "json",
    ];
    words.into_iter().map(Into::into).collect()
}

fn id_of(answer: &Answer) -> anyhow::Result<String> {
    let started: Value = serde_json::from_str(&answer.stdout)
        .with_context(|| format!("a start was not acknowledged: {}", answer.stderr.trim()))?;
    started["id"]
        .as_str()
        .map(Into::into)
        .context("a started run has no id")
}

/// Tells the run of an approval what was decided.
fn decide(
    stage: &Stage,
    started: &[(String, String)],
    key: &str,
    decision: &Value,
) -> anyhow::Result<()> {
    let key = cast::approval_key(key);
    let (_, id) = started
        .iter()
        .find(|(started, _)| *started == key)
        .context("the approval was started")?;
    stage.ask(&["signal", id, "decision", "--data", &decision.to_string()])?;
    Ok(())
}
