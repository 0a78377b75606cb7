//! Waiting for a run: those who give up do not gather in memory, those who stay are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::{Command, Time};
use quadrille_engine::ZonedCalendar;
use quadrille_engine::driver::view::{TABLES, View};
use quadrille_engine::partition::{Answer, Asker, Input, Partition};
use quadrille_engine::query::RunView;
use store::Store;

use crate::stage::{start_run, workflow};

/// Someone who waits, and counts as long as memory holds him.
struct Waiter {
    held: Arc<()>,
    told: Arc<AtomicUsize>,
    has_given_up: bool,
}

impl Asker<Option<RunView>> for Waiter {
    fn take(self: Box<Self>, view: Option<RunView>) {
        assert_eq!(view.expect("has ended").summary.state, "terminated");
        self.told.fetch_add(1, Ordering::Relaxed);
        drop(self.held);
    }

    fn is_gone(&self) -> bool {
        self.has_given_up
    }
}

fn ask(partition: &mut Partition, command: Command) {
    let command = Box::new(command);
    let answer = Answer::new(|reply: Result<_, _>| assert!(reply.is_ok(), "{reply:?}"));
    partition.take(Input::Ask { command, answer }, Time(1));
    release(partition);
}

fn release(partition: &mut Partition) {
    let batch = partition.take_batch();
    drop(partition.release(batch));
}

#[test]
fn waiters_that_gave_up_are_let_go_and_the_others_are_told() {
    let view = View::open(Store::memory(&TABLES)).expect("a view");
    let mut partition = Partition::new(Box::new(ZonedCalendar), Box::new(view), 1);
    ask(&mut partition, workflow("gated", 2, true));
    let start = start_run("gated", "waited for");
    let run = start.run;
    ask(&mut partition, Command::StartRun(start));

    let (held, told) = (Arc::new(()), Arc::new(AtomicUsize::new(0)));
    let mut most = 0;
    for number in 0..10_000 {
        let waiter = Waiter {
            held: held.clone(),
            told: told.clone(),
            has_given_up: number % 1_000 != 0,
        };
        let ended = Answer::new(waiter);
        partition.take(Input::Wait { run, ended }, Time(1));
        release(&mut partition);
        most = most.max(Arc::strong_count(&held) - 1);
    }
    // At most about twice as many as there were at the last look.
    assert!(most < 64, "{most} were held at a time");
    let reason = None;
    ask(&mut partition, Command::TerminateRun { run, reason });
    assert_eq!(Arc::strong_count(&held), 1);
    let told = told.load(Ordering::Relaxed);
    assert!((10..74).contains(&told), "{told}");
}
