//! One start of a job: open, recover, assemble. The same for the first start and every restart,
//! on threads and in a simulation.

use std::sync::Arc;

use millstream_operators::JobGraph;
use millstream_state::MemoryBudget;

use crate::assemble::{Assembly, Parts, assemble};
use crate::clock::Clock;
use crate::components::Components;
use crate::durability::Keeping;
use crate::epoch::EpochWorker;
use crate::error::Result;
use crate::job::RunOptions;
use crate::metrics::JobMetrics;
use crate::open::open;
use crate::recovery::{Recovered, Recovery, Resumed, Setting, recover};

/// What all starts of a job have in common.
pub(crate) struct Plan<'a> {
    pub graph: &'a JobGraph,
    pub options: RunOptions,
    pub components: &'a dyn Components,
    pub memory: &'a Arc<MemoryBudget>,
    pub clock: &'a Clock,
}

/// A start that went well.
pub(crate) enum Incarnation {
    /// Ready to run.
    Ready(Box<Assembly>, Recovery),
    /// There is nothing to do: the job had finished.
    Finished(Recovery),
}

/// Makes start number `number` (from 0) of a job. `metrics` are those of the start before; the
/// first one makes them.
///
/// # Errors
/// If a table cannot be opened, an operator cannot be built, or the job cannot go on from what it
/// has kept.
///
/// # Panics
/// If the graph breaks its laws: a bug of the planner.
pub(crate) fn begin(
    plan: &Plan<'_>,
    mut keeping: Option<&mut Keeping>,
    number: u64,
    metrics: &mut Option<Arc<JobMetrics>>,
) -> Result<Incarnation> {
    let Plan { graph, options, components, memory, clock } = plan;
    graph.check();
    let durable = keeping.as_ref().and_then(|keeping| keeping.durable.as_ref());
    let job = durable.map(|durable| durable.incarnation(number));
    let interval_ms = keeping.as_ref().map_or(0, |keeping| keeping.interval_ms());
    components.begin(job.as_ref());
    let mut opened = open(graph, options, *components, job.is_some())?;
    let metrics = metrics.get_or_insert_with(|| {
        Arc::new(JobMetrics::new(graph, &opened.parallelism, (*clock).clone()))
    });
    let incarnation = job.map_or_else(String::new, |job| job.incarnation);
    let setting = Setting { graph, clock, parallelism: options.parallelism, incarnation };
    let mut resumed = match recover(&setting, &mut opened, keeping.as_deref_mut())? {
        Recovered::Finished(recovery) => return Ok(Incarnation::Finished(recovery)),
        Recovered::Go(resumed) => *resumed,
    };
    let parts = Parts {
        graph,
        edge_capacity_bytes: options.edge_capacity_bytes,
        components: *components,
        clock: (*clock).clone(),
        memory: (*memory).clone(),
        metrics: metrics.clone(),
        interval_ms,
        opened,
    };
    let mut assembly = assemble(parts, &mut resumed)?;
    let Resumed { store, decider, followers, showers, mut recovery, .. } = resumed;
    recovery.restarts = number;
    if let (Some(store), Some(keeping)) = (store, keeping) {
        let checkpoints = keeping.checkpoints.take();
        let checkpoints = checkpoints.expect("no worker has them between incarnations");
        let state_dir = keeping.durable.as_ref().and_then(|durable| durable.state_dir.clone());
        assembly.worker =
            Some(EpochWorker { checkpoints, store, decider, followers, showers, state_dir });
    }
    Ok(Incarnation::Ready(Box::new(assembly), recovery))
}
