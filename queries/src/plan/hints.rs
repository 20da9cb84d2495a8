//! `t /*+ OPTIONS('key' = 'value') */`: this use of a table has other options.
//!
//! The table with these options becomes a variant of its own in the catalog, and the query reads
//! the variant under the table's name. Uses with the same options share it, so it is read once.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion_sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Query, TableAlias,
    TableFactor, Visit, VisitMut, Visitor, VisitorMut,
};

use super::error::unsupported;
use super::{codes, table};
use crate::calls;
use crate::catalog::{Catalog, Table};
use crate::diagnostic::Diagnostic;
use crate::parse::{bytes, span_of};
use crate::statement::Spanned;

type Options = Vec<(Spanned<String>, Spanned<String>)>;

/// The query with variants in the place of tables that have hints, which are added to the catalog;
/// `None` if there are no hints.
///
/// # Errors
/// If a hint is on something else than a table, or with options that its connector does not have.
pub(crate) fn apply(
    query: &Query,
    catalog: &mut Arc<Catalog>,
) -> Result<Option<Query>, Diagnostic> {
    if !has_hints(query) {
        return Ok(None);
    }
    let mut query = query.clone();
    match VisitMut::visit(&mut query, &mut Apply { catalog }) {
        ControlFlow::Continue(()) => Ok(Some(query)),
        ControlFlow::Break(diagnostic) => Err(*diagnostic),
    }
}

fn has_hints(query: &Query) -> bool {
    let mut find = Find { exprs: 0, options: Vec::new() };
    let _: ControlFlow<()> = Visit::visit(query, &mut find);
    find.exprs > 0 || !find.options.is_empty()
}

/// All options of a query's hints.
pub(crate) fn options(query: &Query) -> Options {
    let mut find = Find { exprs: 0, options: Vec::new() };
    let _: ControlFlow<()> = Visit::visit(query, &mut find);
    find.options
}

/// Looks for hints, which few queries have.
struct Find {
    /// Expressions where hints stand.
    exprs: usize,
    options: Options,
}

impl Visitor for Find {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { with_hints, .. } = factor {
            self.exprs += with_hints.len();
            self.options.extend(calls::hint_options(with_hints).unwrap_or_default());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            self.options.extend(calls::argument_hints(function));
        }
        ControlFlow::Continue(())
    }
}

struct Apply<'a> {
    catalog: &'a mut Arc<Catalog>,
}

impl Apply<'_> {
    /// The name of the variant; `None` if there is no such table, which binding will tell.
    fn variant(&mut self, name: &Ident, options: &Options) -> Result<Option<Ident>, Diagnostic> {
        if self.catalog.view_named(&name.value).is_some() {
            let message = format!("`{}` is a view, which has no options", name.value);
            return Err(Diagnostic::error(codes::BAD_HINT, message)
                .at_if_known(bytes(name.span))
                .hint("give the hint to the table that the view reads"));
        }
        let Some(table) = self.catalog.table_named(&name.value).cloned() else { return Ok(None) };
        let written: Vec<String> = options
            .iter()
            .map(|(key, value)| format!("'{}' = '{}'", key.node, value.node))
            .collect();
        let identity =
            format!("{}{}OPTIONS({}) */", table.identity, Table::HINT, written.join(", "));
        if self.catalog.table(&identity).is_none() {
            let variant = table::with_options(&table, options)?;
            let variant = Table { identity: identity.clone(), ..variant };
            Arc::make_mut(self.catalog).add_variant(variant);
        }
        Ok(Some(Ident { value: identity, quote_style: Some('`'), span: name.span }))
    }

    fn table(&mut self, factor: &mut TableFactor) -> Result<(), Diagnostic> {
        let TableFactor::Table { name, alias, with_hints, .. } = factor else { return Ok(()) };
        if with_hints.is_empty() {
            return Ok(());
        }
        let place = span_of(&with_hints[0]);
        let Some(options) = calls::hint_options(&std::mem::take(with_hints)) else {
            let hint = "hints are written /*+ OPTIONS('key' = 'value') */";
            return Err(unsupported("WITH (…) behind a table", place, hint));
        };
        let Some(last) = name.0.last().and_then(|part| part.as_ident()).cloned() else {
            return Ok(());
        };
        if let Some(variant) = self.variant(&last, &options)? {
            *name = ObjectName::from(vec![variant]);
            alias.get_or_insert_with(|| TableAlias {
                explicit: true,
                name: last,
                columns: Vec::new(),
                at: None,
            });
        }
        Ok(())
    }

    fn argument(&mut self, expr: &mut Expr) -> Result<(), Diagnostic> {
        let Expr::Function(function) = expr else { return Ok(()) };
        let options = calls::argument_hints(function);
        if options.is_empty() {
            return Ok(());
        }
        function.parameters = FunctionArguments::None;
        let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
        let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(name))) = list.args.first_mut() else {
            return Ok(());
        };
        let last = match name {
            Expr::Identifier(ident) => ident.clone(),
            Expr::CompoundIdentifier(parts) => match parts.last() {
                Some(last) => last.clone(),
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        if let Some(variant) = self.variant(&last, &options)? {
            *name = Expr::Identifier(variant);
        }
        Ok(())
    }
}

impl VisitorMut for Apply<'_> {
    type Break = Box<Diagnostic>;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Self::Break> {
        flow(self.table(factor))
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        flow(self.argument(expr))
    }
}

fn flow(result: Result<(), Diagnostic>) -> ControlFlow<Box<Diagnostic>> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(diagnostic) => ControlFlow::Break(Box::new(diagnostic)),
    }
}
