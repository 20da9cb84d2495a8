//! The life of an epoch as a table: what happens next, given what was and what came. Pure.
//!
//! ```text
//!            Due · BudgetExceeded · SavepointAsked            all parts are there
//!     Idle ─────────────────────────────────────▶ Aligning ───────────────────────▶ Sealing
//!      ▲ ▲                                                                             │ Sealed
//!      │ └── the last task has ended: no barrier is needed ─▶ Sealing                  ▼
//!      │                                     Published                             Committing
//!      └────────────────────────────────────────────────── Publishing ◀────────────────┘ Committed
//!
//!     any phase ── a failure, an abort, or the end of the last epoch ──▶ Over
//! ```
//!
//! Laws, checked over all pairs of phase and event and over random histories:
//!
//! 1. one epoch is under way at a time; their numbers are contiguous;
//! 2. an epoch is sealed once each task has passed its barrier or ended before it, committed only
//!    after it was sealed, and published only after it was committed;
//! 3. what a task did after its last barrier belongs to the next epoch, also when the task ends;
//! 4. nothing is asked of anybody once the job is over.
//!
//! Who moves the rows, seals and commits is not this place's business: the driver carries the
//! actions out, on threads or in a simulation.

use millstream_state::Epoch;

/// Where the epoch is that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Rows flow; no epoch is being ended.
    Idle,
    /// Barriers are on their way through the tasks.
    Aligning,
    /// The epoch's changes are applied and the snapshot is made.
    Sealing,
    /// The decider commits.
    Committing,
    /// Followers make it visible; old snapshots are removed.
    Publishing,
    /// Nothing happens any more.
    Over,
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The interval between epochs has passed and something happened in it.
    Due,
    /// State takes more memory than it may.
    BudgetExceeded,
    /// Somebody wants a snapshot now.
    SavepointAsked,
    /// A task has passed the barrier.
    PartArrived {
        /// Its number.
        task: usize,
    },
    /// A task has reached the end of its input.
    TaskEnded {
        /// Its number.
        task: usize,
        /// False if its input was cut short by a stop.
        complete: bool,
    },
    /// The snapshot is durable.
    Sealed,
    /// The decider has committed.
    Committed,
    /// Followers have published.
    Published,
    /// Sealing, committing or publishing failed, or its outcome is unknown.
    EpochFailed,
    /// A task failed.
    TaskFailed,
    /// Sources are to read no more.
    StopAsked,
    /// All is to be dropped.
    AbortAsked,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Ask the sources for barriers.
    RequestBarriers(Epoch),
    /// Apply the parts and make a snapshot.
    Seal {
        /// The epoch.
        epoch: Epoch,
        /// All inputs have ended: nothing comes after it, and nothing ever will.
        finished: bool,
    },
    /// Commit with the decider.
    Commit(Epoch),
    /// Let followers publish.
    Publish(Epoch),
    /// Tell the sources to read no more.
    StopSources,
    /// Tell all tasks to drop what they have.
    AbortTasks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TaskPhase {
    /// Has not passed the barrier of the epoch under way.
    Running,
    /// Has passed it.
    Acknowledged,
    /// Has ended before it.
    Ended,
    /// Has passed it, then ended: its last part belongs to the next epoch.
    EndedAfter,
}

/// The state of the table.
#[derive(Clone, Debug)]
pub struct Protocol {
    // PROPERTIES
    /// False for jobs that keep nothing: then only their end is seen to.
    has_epochs: bool,
    // STATE
    phase: Phase,
    /// The epoch that is under way, or the last one.
    epoch: Epoch,
    tasks: Vec<TaskPhase>,
    /// An epoch was asked for while another was under way.
    wanted: bool,
    /// A task has ended in the epoch to come: it must not be left out.
    owed: bool,
    /// No input was cut short so far.
    complete: bool,
}

impl Protocol {
    /// The table of a job of so many tasks that goes on after `epoch`.
    pub fn new(tasks: usize, epoch: Epoch, has_epochs: bool) -> Self {
        Protocol {
            has_epochs,
            phase: Phase::Idle,
            epoch,
            tasks: vec![TaskPhase::Running; tasks],
            wanted: false,
            owed: false,
            complete: true,
        }
    }

    /// Where the epoch under way is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The epoch that is under way, or the last one.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// True once all tasks have ended and none of them was cut short.
    pub fn is_finished(&self) -> bool {
        self.complete && self.all_ended()
    }

    /// Takes note of an event; returns what is to be done, in order.
    pub fn on(&mut self, event: Event) -> Vec<Action> {
        match (self.phase, event) {
            (Phase::Over, _) => Vec::new(),
            (_, Event::EpochFailed | Event::TaskFailed | Event::AbortAsked) => self.give_up(),
            (_, Event::StopAsked) => vec![Action::StopSources],
            (_, Event::TaskEnded { task, complete }) => self.task_ended(task, complete),
            (Phase::Idle, Event::Due | Event::BudgetExceeded | Event::SavepointAsked) => {
                self.begin()
            }
            (
                Phase::Aligning | Phase::Sealing | Phase::Committing | Phase::Publishing,
                Event::Due | Event::BudgetExceeded | Event::SavepointAsked,
            ) => {
                self.wanted = true;
                Vec::new()
            }
            (Phase::Aligning, Event::PartArrived { task }) => self.part_arrived(task),
            (Phase::Sealing, Event::Sealed) => {
                self.phase = Phase::Committing;
                vec![Action::Commit(self.epoch)]
            }
            (Phase::Committing, Event::Committed) => {
                self.phase = Phase::Publishing;
                vec![Action::Publish(self.epoch)]
            }
            (Phase::Publishing, Event::Published) => self.published(),
            // Nobody can have asked for these: the incarnation is not what we think it is.
            (
                Phase::Idle | Phase::Sealing | Phase::Committing | Phase::Publishing,
                Event::PartArrived { .. },
            )
            | (
                Phase::Idle | Phase::Aligning | Phase::Committing | Phase::Publishing,
                Event::Sealed,
            )
            | (
                Phase::Idle | Phase::Aligning | Phase::Sealing | Phase::Publishing,
                Event::Committed,
            )
            | (
                Phase::Idle | Phase::Aligning | Phase::Sealing | Phase::Committing,
                Event::Published,
            ) => self.give_up(),
        }
    }

    fn begin(&mut self) -> Vec<Action> {
        if !self.has_epochs {
            return Vec::new();
        }
        self.wanted = false;
        self.epoch = self.epoch.next();
        self.phase = Phase::Aligning;
        let mut actions = vec![Action::RequestBarriers(self.epoch)];
        actions.extend(self.seal_if_aligned());
        actions
    }

    fn part_arrived(&mut self, task: usize) -> Vec<Action> {
        if self.tasks[task] != TaskPhase::Running {
            return self.give_up();
        }
        self.tasks[task] = TaskPhase::Acknowledged;
        self.seal_if_aligned()
    }

    fn task_ended(&mut self, task: usize, complete: bool) -> Vec<Action> {
        self.complete &= complete;
        self.tasks[task] = match self.tasks[task] {
            TaskPhase::Running => TaskPhase::Ended,
            TaskPhase::Acknowledged => TaskPhase::EndedAfter,
            TaskPhase::Ended | TaskPhase::EndedAfter => return self.give_up(),
        };
        match self.phase {
            Phase::Aligning => self.seal_if_aligned(),
            Phase::Idle => {
                self.owed = true;
                self.end_if_all_ended()
            }
            _ => Vec::new(),
        }
    }

    fn seal_if_aligned(&mut self) -> Vec<Action> {
        if self.tasks.contains(&TaskPhase::Running) {
            return Vec::new();
        }
        self.phase = Phase::Sealing;
        self.owed = false;
        let last = self.tasks.iter().all(|task| *task == TaskPhase::Ended);
        vec![Action::Seal { epoch: self.epoch, finished: last && self.complete }]
    }

    fn published(&mut self) -> Vec<Action> {
        self.phase = Phase::Idle;
        for task in &mut self.tasks {
            match task {
                TaskPhase::Acknowledged => *task = TaskPhase::Running,
                TaskPhase::EndedAfter => {
                    *task = TaskPhase::Ended;
                    self.owed = true;
                }
                TaskPhase::Running | TaskPhase::Ended => {}
            }
        }
        if self.all_ended() {
            return self.end_if_all_ended();
        }
        if self.wanted { self.begin() } else { Vec::new() }
    }

    /// When all tasks have ended, what they still owe is the last epoch; no barrier can be sent
    /// and none is needed.
    fn end_if_all_ended(&mut self) -> Vec<Action> {
        if !self.all_ended() {
            return Vec::new();
        }
        if self.has_epochs && self.owed {
            self.epoch = self.epoch.next();
            return self.seal_if_aligned();
        }
        self.phase = Phase::Over;
        Vec::new()
    }

    fn all_ended(&self) -> bool {
        self.tasks.iter().all(|task| matches!(task, TaskPhase::Ended | TaskPhase::EndedAfter))
    }

    fn give_up(&mut self) -> Vec<Action> {
        self.phase = Phase::Over;
        vec![Action::AbortTasks]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHASES: [Phase; 6] = [
        Phase::Idle,
        Phase::Aligning,
        Phase::Sealing,
        Phase::Committing,
        Phase::Publishing,
        Phase::Over,
    ];

    const EVENTS: [Event; 13] = [
        Event::Due,
        Event::BudgetExceeded,
        Event::SavepointAsked,
        Event::PartArrived { task: 0 },
        Event::TaskEnded { task: 0, complete: true },
        Event::TaskEnded { task: 0, complete: false },
        Event::Sealed,
        Event::Committed,
        Event::Published,
        Event::EpochFailed,
        Event::TaskFailed,
        Event::StopAsked,
        Event::AbortAsked,
    ];

    /// A job of two tasks, of which the second has passed barrier 8, in this phase.
    fn in_phase(phase: Phase) -> Protocol {
        let mut protocol = Protocol::new(2, Epoch(7), true);
        let way = [
            Event::Due,
            Event::PartArrived { task: 1 },
            Event::PartArrived { task: 0 },
            Event::Sealed,
            Event::Committed,
        ];
        let steps = match phase {
            Phase::Idle => 0,
            Phase::Aligning => 2,
            Phase::Sealing => 3,
            Phase::Committing => 4,
            Phase::Publishing | Phase::Over => 5,
        };
        way[..steps].iter().for_each(|event| _ = protocol.on(*event));
        if phase == Phase::Over {
            protocol.on(Event::AbortAsked);
        }
        assert_eq!(protocol.phase(), phase);
        protocol
    }

    /// The table as a person would write it: phase, event → phase, number of actions.
    fn expected(phase: Phase, event: Event) -> (Phase, usize) {
        use Event::*;
        use Phase::*;
        match (phase, event) {
            (Over, _) => (Over, 0),
            (_, EpochFailed | TaskFailed | AbortAsked) => (Over, 1),
            (phase, StopAsked) => (phase, 1),
            (Idle, Due | BudgetExceeded | SavepointAsked) => (Aligning, 1),
            (phase, Due | BudgetExceeded | SavepointAsked) => (phase, 0),
            (Aligning, PartArrived { .. } | TaskEnded { .. }) => (Sealing, 1),
            (phase, TaskEnded { .. }) => (phase, 0),
            (Sealing, Sealed) => (Committing, 1),
            (Committing, Committed) => (Publishing, 1),
            (Publishing, Published) => (Idle, 0),
            // Nobody can have said that.
            _ => (Over, 1),
        }
    }

    #[test]
    fn every_pair_of_phase_and_event_is_answered() {
        for phase in PHASES {
            for event in EVENTS {
                let mut protocol = in_phase(phase);
                let actions = protocol.on(event);
                let seen = (protocol.phase(), actions.len());
                assert_eq!(seen, expected(phase, event), "{phase:?} and {event:?}: {actions:?}");
                let gave_up = protocol.phase() == Phase::Over && phase != Phase::Over;
                assert_eq!(gave_up, actions == [Action::AbortTasks], "{phase:?} and {event:?}");
            }
        }
    }

    #[test]
    fn a_task_that_ends_after_its_barrier_owes_an_epoch() {
        let mut protocol = in_phase(Phase::Publishing);
        protocol.on(Event::TaskEnded { task: 0, complete: true });
        protocol.on(Event::TaskEnded { task: 1, complete: true });
        let seal = Action::Seal { epoch: Epoch(9), finished: true };
        assert_eq!(protocol.on(Event::Published), [seal]);
        protocol.on(Event::Sealed);
        protocol.on(Event::Committed);
        assert_eq!(protocol.on(Event::Published), []);
        assert_eq!((protocol.phase(), protocol.is_finished()), (Phase::Over, true));
    }

    #[test]
    fn an_epoch_that_everyone_ended_in_is_the_last() {
        let mut protocol = Protocol::new(2, Epoch(0), true);
        protocol.on(Event::Due);
        protocol.on(Event::TaskEnded { task: 0, complete: true });
        let actions = protocol.on(Event::TaskEnded { task: 1, complete: true });
        assert_eq!(actions, [Action::Seal { epoch: Epoch(1), finished: true }]);
    }

    #[test]
    fn an_input_that_was_cut_short_is_not_finished() {
        let mut protocol = Protocol::new(2, Epoch(0), true);
        protocol.on(Event::TaskEnded { task: 0, complete: true });
        let actions = protocol.on(Event::TaskEnded { task: 1, complete: false });
        assert_eq!(actions, [Action::Seal { epoch: Epoch(1), finished: false }]);
        assert!(!protocol.is_finished());
    }

    #[test]
    fn a_job_without_epochs_only_ends() {
        let mut protocol = Protocol::new(2, Epoch(0), false);
        assert_eq!(protocol.on(Event::Due), []);
        assert_eq!(protocol.on(Event::TaskEnded { task: 0, complete: true }), []);
        assert_eq!(protocol.on(Event::TaskEnded { task: 1, complete: true }), []);
        assert_eq!(protocol.phase(), Phase::Over);
    }

    #[test]
    fn what_was_asked_for_meanwhile_begins_at_once() {
        let mut protocol = in_phase(Phase::Publishing);
        protocol.on(Event::SavepointAsked);
        assert_eq!(protocol.on(Event::Published), [Action::RequestBarriers(Epoch(9))]);
    }

    /// Random histories of three tasks whose parts and ends come in any order that tasks can
    /// produce, and a worker that does what it is asked.
    #[test]
    fn every_history_keeps_the_laws() {
        for seed in 0..20_000u64 {
            let mut random = seed;
            let mut below = |bound: u64| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (random >> 33) % bound
            };
            let mut protocol = Protocol::new(3, Epoch(0), true);
            let (mut owing, mut ended) = ([false; 3], [false; 3]);
            let (mut work, mut order) = (None, Vec::new());
            for _ in 0..200 {
                let task = below(3) as usize;
                let event = match below(6) {
                    0 => Some(Event::Due),
                    1 | 2 if owing[task] => {
                        owing[task] = false;
                        Some(Event::PartArrived { task })
                    }
                    3 if !ended[task] && below(8) == 0 => {
                        (ended[task], owing[task]) = (true, false);
                        Some(Event::TaskEnded { task, complete: true })
                    }
                    4 => work.take(),
                    _ => None,
                };
                let actions = event.map_or_else(Vec::new, |event| protocol.on(event));
                for action in actions {
                    order.push(action);
                    match action {
                        Action::RequestBarriers(_) => {
                            (0..3).for_each(|task| owing[task] = !ended[task]);
                        }
                        Action::Seal { .. } => work = Some(Event::Sealed),
                        Action::Commit(_) => work = Some(Event::Committed),
                        Action::Publish(_) => work = Some(Event::Published),
                        Action::StopSources | Action::AbortTasks => panic!("seed {seed}"),
                    }
                }
            }
            let mut sealed = order.iter().filter_map(|action| match action {
                Action::Seal { epoch, .. } => Some(epoch.0),
                _ => None,
            });
            assert!((1..).zip(&mut sealed).all(|(n, epoch)| n == epoch), "seed {seed}");
            if protocol.phase() == Phase::Over {
                let last = order.iter().rev().find(|action| matches!(action, Action::Seal { .. }));
                assert!(matches!(last, Some(Action::Seal { finished: true, .. })), "seed {seed}");
            }
        }
    }
}
