//! Owns the notice board: open human tasks, findable by whose they are and where they come from.
//!
//! Invariants: it holds exactly the tasks that the kernel has shown and not hidden since; a search costs what
//! it shows, or what the rarest thing it asks for has.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use graph::value::Str;
use kernel::{Notice, RunId, StepRef};
use rustc_hash::FxHashMap;

use crate::human::{HumanFilter, HumanPlace, HumanState};

/// Open human tasks looked at for one page. A page may be short; it says where to go on.
const SCAN_MAX: usize = 20_000;

/// Open human tasks.
#[derive(Debug, Default)]
pub(crate) struct Board {
    notices: FxHashMap<StepRef, Notice>,
    shelves: BTreeMap<Shelf, BTreeSet<HumanPlace>>,
}

/// What tasks have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shelf {
    All,
    State(HumanState),
    Assignee(Str),
    Group(Str),
    Workflow(Str),
    Run(RunId),
}

impl Board {
    /// A task is open, or is no longer as it was.
    pub(crate) fn show(&mut self, notice: Notice) {
        self.hide(notice.task);
        for shelf in shelves(&notice) {
            let places = self.shelves.entry(shelf).or_default();
            places.insert(HumanPlace::of(&notice));
        }
        self.notices.insert(notice.task, notice);
    }

    /// A task is no longer open.
    pub(crate) fn hide(&mut self, task: StepRef) {
        let Some(notice) = self.notices.remove(&task) else {
            return;
        };
        for shelf in shelves(&notice) {
            if let Some(places) = self.shelves.get_mut(&shelf) {
                places.remove(&HumanPlace::of(&notice));
                if places.is_empty() {
                    self.shelves.remove(&shelf);
                }
            }
        }
    }

    /// Tasks that are meant, and where to go on if there may be more.
    pub(crate) fn search(
        &self,
        filter: &HumanFilter,
        after: Option<HumanPlace>,
        limit: usize,
    ) -> (Vec<StepRef>, Option<HumanPlace>) {
        let (empty, mut found) = (BTreeSet::new(), Vec::new());
        let shelves = wanted(filter);
        let places = shelves
            .iter()
            .map(|shelf| self.shelves.get(shelf).unwrap_or(&empty))
            .min_by_key(|places| places.len())
            .unwrap_or(&empty);
        let above = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut last = after;
        for (scanned, place) in places.range((above, Bound::Unbounded)).enumerate() {
            if found.len() == limit || scanned == SCAN_MAX {
                return (found, last);
            }
            last = Some(*place);
            let notice = self.notices.get(&place.task);
            if notice.is_some_and(|notice| filter.admits(notice)) {
                found.push(place.task);
            }
        }
        (found, None)
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        self.notices.len()
    }
}

/// Where a task stands.
fn shelves(notice: &Notice) -> impl Iterator<Item = Shelf> {
    let groups = notice.whose.groups.iter().cloned().map(Shelf::Group);
    let assignee = notice.whose.assignee.clone().map(Shelf::Assignee);
    [
        Shelf::All,
        Shelf::State(HumanState::of(&notice.whose)),
        Shelf::Workflow(notice.workflow.clone()),
        Shelf::Run(notice.task.run),
    ]
    .into_iter()
    .chain(assignee)
    .chain(groups)
}

/// Where all that are meant stand, each of these by itself.
fn wanted(filter: &HumanFilter) -> Vec<Shelf> {
    let mut shelves = vec![Shelf::All];
    if let [state] = filter.states[..] {
        shelves.push(Shelf::State(state));
    }
    shelves.extend(filter.assignee.clone().map(Shelf::Assignee));
    shelves.extend(filter.group.clone().map(Shelf::Group));
    shelves.extend(filter.workflow.clone().map(Shelf::Workflow));
    shelves.extend(filter.run.map(Shelf::Run));
    shelves
}

#[cfg(test)]
mod tests {
    use graph::value::Str;
    use kernel::human::Whose;
    use kernel::{Notice, RunId, StepId, StepRef, Time};

    use super::Board;
    use crate::human::{HumanFilter, HumanState};

    fn notice(step: u32, priority: u32, assignee: Option<&str>, groups: &[&str]) -> Notice {
        Notice {
            task: StepRef {
                run: RunId([u8::try_from(step % 2).unwrap_or_default(); 16]),
                step: StepId(step),
            },
            workflow: "w".into(),
            whose: Whose {
                assignee: assignee.map(Str::from),
                groups: groups.iter().map(|name| Str::from(*name)).collect(),
            },
            priority,
            since: Time(u64::from(step)),
        }
    }

    fn steps(board: &Board, filter: &HumanFilter) -> Vec<u32> {
        let (mut steps, mut after) = (Vec::new(), None);
        loop {
            let (found, next) = board.search(filter, after, 2);
            steps.extend(found.iter().map(|task| task.step.0));
            match next {
                Some(_) => after = next,
                None => return steps,
            }
        }
    }

    #[test]
    fn tasks_are_found_page_by_page_the_most_urgent_first() {
        let mut board = Board::default();
        board.show(notice(1, 5, None, &["a"]));
        board.show(notice(2, 9, None, &["a", "b"]));
        board.show(notice(3, 5, Some("ann"), &["b"]));
        board.show(notice(4, 0, Some("bob"), &[]));
        board.show(notice(5, 5, Some("ann"), &[]));
        let all = HumanFilter::default();
        assert_eq!(steps(&board, &all), [2, 1, 3, 5, 4]);
        let of = |filter: HumanFilter| steps(&board, &filter);
        let group = Some("b".into());
        let (ready, ann) = (vec![HumanState::Ready], Some("ann".into()));
        assert_eq!(
            of(HumanFilter {
                group: group.clone(),
                ..all.clone()
            }),
            [2, 3]
        );
        assert_eq!(
            of(HumanFilter {
                assignee: ann.clone(),
                ..all.clone()
            }),
            [3, 5]
        );
        assert_eq!(
            of(HumanFilter {
                states: ready,
                ..all.clone()
            }),
            [2, 1]
        );
        assert_eq!(
            of(HumanFilter {
                run: Some(RunId([1; 16])),
                ..all.clone()
            }),
            [1, 3, 5]
        );
        assert_eq!(
            of(HumanFilter {
                assignee: ann,
                group,
                ..all.clone()
            }),
            [3]
        );
        assert!(
            of(HumanFilter {
                workflow: Some("v".into()),
                ..all
            })
            .is_empty()
        );
    }

    #[test]
    fn what_changed_hands_is_found_anew_and_what_is_hidden_leaves_nothing_behind() {
        let mut board = Board::default();
        board.show(notice(1, 5, None, &["a"]));
        board.show(notice(1, 5, Some("ann"), &["a"]));
        let ready = HumanFilter {
            states: vec![HumanState::Ready],
            ..HumanFilter::default()
        };
        assert!(steps(&board, &ready).is_empty());
        assert_eq!(board.len(), 1);
        board.hide(notice(1, 5, None, &[]).task);
        assert!(board.shelves.is_empty() && board.notices.is_empty());
    }
}
