//! Hints: `t /*+ OPTIONS('key' = 'value') */` gives a table options for this use of it.
//!
//! sqlparser sees no comments, so hints are collected with the words (`tokens.rs`) and put into the
//! AST afterwards, behind the name that they follow: into `with_hints` of a table in FROM, into
//! `parameters` of `TABLE t`. `calls.rs` reads them back.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments,
    Query, Spanned as _, TableFactor, Value, VisitMut, VisitorMut,
};

use super::cursor::Cursor;
use super::{Parsed, create_table, span, tokens};
use crate::calls;
use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::dialect::MillstreamDialect;
use crate::statement::Spanned;

/// A hint that gives options to a table.
pub(super) struct Hint {
    /// Where the word before it ends.
    after: usize,
    span: Span,
    options: Vec<(Spanned<String>, Spanned<String>)>,
    is_used: bool,
}

impl Hint {
    /// Reads the comment at `comment`, which stands behind a word that ends at `after`. Other
    /// hints than OPTIONS are for Flink's optimizer, and are warned of.
    pub(super) fn read(
        text: &str,
        comment: &Span,
        after: usize,
        env: &dyn Fn(&str) -> Option<String>,
        found: &mut Vec<Diagnostic>,
    ) -> Parsed<Option<Hint>> {
        let inside = comment.start + "/*+".len()..comment.end - "*/".len();
        let dialect = MillstreamDialect::new(inside.len());
        let words = tokens::tokenize(text, &inside, &dialect)?;
        if let Some(wrong) = tokens::check(&words.tokens).into_iter().next() {
            return Err(Box::new(wrong));
        }
        let mut cursor = Cursor::new(&words.tokens, &dialect);
        let (mut options, mut has_others) = (Vec::new(), false);
        while !cursor.at_end() {
            if cursor.eat(&["OPTIONS"]) {
                options.extend(create_table::options(&mut cursor, env, found)?);
            } else {
                has_others = true;
                cursor.skip(1);
            }
        }
        if has_others || options.is_empty() {
            found.push(
                Diagnostic::warning(codes::HINT_IGNORED, "the hint is ignored")
                    .at(comment.clone())
                    .label("has no effect here"),
            );
        }
        let hint = Hint { after, span: comment.clone(), options, is_used: false };
        Ok(Some(hint).filter(|hint| !hint.options.is_empty()))
    }
}

/// Puts the options behind the names of tables that they follow.
pub(super) fn attach(query: &mut Query, hints: &mut [Hint]) {
    if !hints.is_empty() {
        let _: ControlFlow<()> = query.visit(&mut Attach(hints));
    }
}

/// The options of the hint behind a name.
pub(super) fn behind(
    name: &Spanned<String>,
    hints: &mut [Hint],
) -> Vec<(Spanned<String>, Spanned<String>)> {
    let found = hints.iter_mut().filter(|hint| hint.after == name.span.end);
    found
        .flat_map(|hint| {
            hint.is_used = true;
            hint.options.clone()
        })
        .collect()
}

/// Diagnostics for hints that follow no table.
pub(super) fn misplaced(hints: &[Hint]) -> impl Iterator<Item = Diagnostic> {
    hints.iter().filter(|hint| !hint.is_used).map(|hint| {
        let message = "OPTIONS does not stand behind the name of a table";
        Diagnostic::error(crate::plan::codes::BAD_HINT, message)
            .at(hint.span.clone())
            .hint("write it directly behind the name: FROM t /*+ OPTIONS('key' = 'value') */")
    })
}

struct Attach<'h>(&'h mut [Hint]);

impl Attach<'_> {
    fn exprs(&mut self, place: datafusion_sql::sqlparser::tokenizer::Span) -> Vec<Expr> {
        let Some(place) = span::bytes(place) else { return Vec::new() };
        let name = Spanned { node: String::new(), span: place };
        behind(&name, self.0).iter().map(|(key, value)| option_expr(key, value)).collect()
    }
}

impl VisitorMut for Attach<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, with_hints, args: None, .. } = factor {
            with_hints.extend(self.exprs(name.span()));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let Some(place) = calls::table_name_place(expr) else { return ControlFlow::Continue(()) };
        let exprs = self.exprs(place);
        if let Expr::Function(function) = expr
            && !exprs.is_empty()
        {
            let unnamed = |expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr));
            function.parameters = FunctionArguments::List(FunctionArgumentList {
                duplicate_treatment: None,
                args: exprs.into_iter().map(unnamed).collect(),
                clauses: Vec::new(),
            });
        }
        ControlFlow::Continue(())
    }
}

/// `'key' = 'value'`
fn option_expr(key: &Spanned<String>, value: &Spanned<String>) -> Expr {
    let text = |text: &Spanned<String>| {
        let value = Value::SingleQuotedString(text.node.clone());
        Box::new(Expr::Value(value.with_span(span::to_sql(&text.span))))
    };
    Expr::BinaryOp { left: text(key), op: BinaryOperator::Eq, right: text(value) }
}
