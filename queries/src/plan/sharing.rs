//! Who shares what: a view that is used once is put in the place of its use; one that is used
//! several times is planned once, with the columns that all its uses need together. Tables are
//! shared in the same way, so that each is read once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion_common::Result;
use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_expr::{LogicalPlan, LogicalPlanBuilder, TableScan};

use super::relation::{self, RelationKind};
use crate::catalog::Catalog;

/// How often views are used by what is run, directly and through other views.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    views: BTreeMap<String, usize>,
    late: BTreeSet<String>,
}

impl Uses {
    /// Counts the uses in these plans.
    pub fn count<'a>(
        plans: impl IntoIterator<Item = &'a LogicalPlan>,
        catalog: &Catalog,
    ) -> Result<Uses> {
        let mut uses = Uses::default();
        for plan in plans {
            uses.add(plan, catalog)?;
        }
        Ok(uses)
    }

    fn add(&mut self, plan: &LogicalPlan, catalog: &Catalog) -> Result<()> {
        for_each_scan(plan, &mut |scan| {
            let name = match relation::of(scan).map(|relation| &relation.kind) {
                Some(RelationKind::View(name)) => name,
                Some(RelationKind::Late(name)) => {
                    self.late.insert(name.clone());
                    name
                }
                _ => return Ok(()),
            };
            let count = self.views.entry(name.clone()).or_default();
            *count += 1;
            // What a view reads is read once, however often the view is.
            if *count == 1
                && let Some(view) = catalog.view(name)
            {
                self.add(&view.plan, catalog)?;
            }
            Ok(())
        })
    }

    /// True if the view is planned on its own.
    pub fn is_shared(&self, view: &str) -> bool {
        self.late.contains(view) || self.views.get(view).is_some_and(|count| *count > 1)
    }

    /// The plan with every view that is not shared in the place of its use.
    pub fn inline(&self, plan: LogicalPlan, catalog: &Catalog) -> Result<LogicalPlan> {
        let inlined = plan.transform_up(|node| {
            let LogicalPlan::TableScan(scan) = &node else { return Ok(Transformed::no(node)) };
            let Some(RelationKind::View(name)) = relation::of(scan).map(|relation| &relation.kind)
            else {
                return Ok(Transformed::no(node));
            };
            match catalog.view(name) {
                Some(view) if !self.is_shared(name) => {
                    let inner = self.inline(view.plan.clone(), catalog)?;
                    let named =
                        LogicalPlanBuilder::from(inner).alias(scan.table_name.clone())?.build()?;
                    Ok(Transformed::yes(named))
                }
                _ => Ok(Transformed::no(node)),
            }
        })?;
        Ok(inlined.data)
    }
}

/// Columns of tables and shared views that are needed, by position.
#[derive(Debug, Default)]
pub(crate) struct Needed {
    columns: BTreeMap<RelationKind, BTreeSet<usize>>,
}

impl Needed {
    /// Adds what an optimized plan reads.
    pub fn add(&mut self, plan: &LogicalPlan) -> Result<()> {
        for_each_scan(plan, &mut |scan| {
            if let Some(relation) = relation::of(scan) {
                let needed = self.columns.entry(relation.kind.clone()).or_default();
                match &scan.projection {
                    Some(columns) => needed.extend(columns),
                    None => needed.extend(0..relation.schema.fields().len()),
                }
            }
            Ok(())
        })
    }

    /// The columns of a relation that are needed; `None` if it is not read at all.
    pub fn of(&self, kind: &RelationKind) -> Option<Vec<usize>> {
        self.columns.get(kind).map(|columns| columns.iter().copied().collect())
    }

    /// Names of all tables that are read.
    pub fn tables(&self) -> Vec<String> {
        let name = |kind: &RelationKind| match kind {
            RelationKind::Table(name) => Some(name.clone()),
            _ => None,
        };
        self.columns.keys().filter_map(name).collect()
    }
}

fn for_each_scan(plan: &LogicalPlan, f: &mut dyn FnMut(&TableScan) -> Result<()>) -> Result<()> {
    plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            f(scan)?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// The plan with only these of its columns.
pub(crate) fn keep_columns(plan: Arc<LogicalPlan>, columns: &[usize]) -> Result<LogicalPlan> {
    let exprs: Vec<datafusion_expr::Expr> = columns
        .iter()
        .map(|column| datafusion_expr::Expr::from(plan.schema().qualified_field(*column)))
        .collect();
    LogicalPlanBuilder::from(plan).project(exprs)?.build()
}
