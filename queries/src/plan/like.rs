//! `CREATE TABLE … LIKE`: two declarations become one, by Flink's rules.
//!
//! | part | unless said otherwise | with OVERWRITING |
//! |---|---|---|
//! | physical columns | always taken over; a second one of the name is an error | |
//! | GENERATED, METADATA | taken over | what is declared anew stands in the place of the old |
//! | WATERMARKS | taken over | the same |
//! | CONSTRAINTS | taken over; a second key is an error | |
//! | OPTIONS | overwriting | the same |
//! | PARTITIONS | taken over; a second PARTITIONED BY is an error | |
//! | DISTRIBUTION | there is none | |

use super::codes;
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Span};
use crate::parse::unknown_columns;
use crate::statement::{ColumnDef, ColumnKind, CreateTable, Like, LikePart, LikeRule, Spanned};
use crate::suggest;

/// The statement with what LIKE brings along.
///
/// # Errors
/// If there is no such table, or both declare the same.
pub(crate) fn merge(
    create: &CreateTable,
    catalog: &Catalog,
) -> Result<CreateTable, Vec<Diagnostic>> {
    let Some(like) = &create.like else { return Ok(create.clone()) };
    let source = match catalog.table_named(&like.table.node) {
        Some(table) => &table.definition,
        None => return Err(vec![no_table(like, catalog)]),
    };
    let mut merging = Merging { like, mistakes: Vec::new() };
    let merged = CreateTable {
        columns: merging.columns(source, create),
        watermark: merging.watermark(source, create),
        primary_key: merging.primary_key(source, create),
        partitioned_by: merging.partitioned_by(source, create),
        options: merging.options(source, create),
        like: None,
        ..create.clone()
    };
    let mut mistakes = merging.mistakes;
    mistakes.extend(unknown_columns(&merged));
    if mistakes.is_empty() { Ok(merged) } else { Err(mistakes) }
}

fn no_table(like: &Like, catalog: &Catalog) -> Diagnostic {
    let name = &like.table.node;
    if catalog.contains(name) {
        return Diagnostic::error(codes::BAD_LIKE, format!("`{name}` is a view"))
            .at(like.table.span.clone())
            .hint("only tables have options and columns to take over");
    }
    let names = catalog.names();
    Diagnostic::error(codes::UNKNOWN_TABLE, format!("there is no table `{name}`"))
        .at(like.table.span.clone())
        .label("unknown table")
        .hint_if_any(suggest::did_you_mean(name, names.iter().map(String::as_str)))
}

struct Merging<'a> {
    like: &'a Like,
    mistakes: Vec<Diagnostic>,
}

impl Merging<'_> {
    fn rule(&self, part: LikePart) -> LikeRule {
        let given = |wanted: LikePart| {
            let found = self.like.options.iter().find(|(part, ..)| *part == wanted);
            found.map(|(_, rule, _)| *rule)
        };
        given(part).or_else(|| given(LikePart::All)).unwrap_or(match part {
            LikePart::Options => LikeRule::Overwriting,
            _ => LikeRule::Including,
        })
    }

    /// Where a column of this kind is ruled; physical ones are always taken over.
    fn rule_of(&self, kind: &ColumnKind) -> LikeRule {
        match kind {
            ColumnKind::Physical { .. } => LikeRule::Including,
            ColumnKind::Metadata { .. } => self.rule(LikePart::Metadata),
            ColumnKind::Computed { .. } => self.rule(LikePart::Generated),
        }
    }

    fn columns(&mut self, source: &CreateTable, create: &CreateTable) -> Vec<ColumnDef> {
        let taken = source.columns.iter();
        let taken = taken.filter(|column| self.rule_of(&column.kind) != LikeRule::Excluding);
        let mut columns: Vec<ColumnDef> = taken.cloned().collect();
        for column in &create.columns {
            match columns.iter_mut().find(|other| other.name.node == column.name.node) {
                None => columns.push(column.clone()),
                Some(old) if part(&old.kind).is_some() && part(&old.kind) == part(&column.kind) => {
                    if self.rule_of(&column.kind) == LikeRule::Overwriting {
                        *old = column.clone();
                    } else {
                        let mistake = self.twice(&column.name, part(&column.kind));
                        self.mistakes.push(mistake);
                    }
                }
                Some(_) => {
                    let mistake = self.twice(&column.name, None);
                    self.mistakes.push(mistake);
                }
            }
        }
        columns
    }

    fn twice(&self, name: &Spanned<String>, part: Option<&str>) -> Diagnostic {
        let message = format!("`{}` has a column `{}` already", self.like.table.node, name.node);
        let hint = match part {
            Some(part) => {
                format!("write LIKE {} (OVERWRITING {part}) to replace it", self.like.table.node)
            }
            None => "leave it out: the columns of the other table are taken over".to_owned(),
        };
        self.conflict(message, name.span.clone(), hint)
    }

    fn conflict(&self, message: String, span: Span, hint: String) -> Diagnostic {
        Diagnostic::error(codes::BAD_LIKE, message).at(span).label("declared again").hint(hint)
    }

    fn watermark(
        &mut self,
        source: &CreateTable,
        create: &CreateTable,
    ) -> Option<crate::statement::WatermarkDef> {
        let rule = self.rule(LikePart::Watermarks);
        let old = source.watermark.as_ref().filter(|_| rule != LikeRule::Excluding);
        if let (Some(_), Some(new), LikeRule::Including) = (old, &create.watermark, rule) {
            let table = &self.like.table.node;
            let message = format!("`{table}` has a watermark already");
            let hint = format!("write LIKE {table} (OVERWRITING WATERMARKS) to replace it");
            let mistake = self.conflict(message, new.column.span.clone(), hint);
            self.mistakes.push(mistake);
        }
        create.watermark.as_ref().or(old).cloned()
    }

    fn primary_key(&mut self, source: &CreateTable, create: &CreateTable) -> Vec<Spanned<String>> {
        let (old, new) = (&source.primary_key, &create.primary_key);
        self.names(LikePart::Constraints, ("a primary key", "CONSTRAINTS"), old, new)
    }

    fn partitioned_by(
        &mut self,
        source: &CreateTable,
        create: &CreateTable,
    ) -> Vec<Spanned<String>> {
        let (old, new) = (&source.partitioned_by, &create.partitioned_by);
        self.names(LikePart::Partitions, ("PARTITIONED BY", "PARTITIONS"), old, new)
    }

    /// The old names, unless they are left; then the new ones. There cannot be both.
    fn names(
        &mut self,
        part: LikePart,
        (what, word): (&str, &str),
        old: &[Spanned<String>],
        new: &[Spanned<String>],
    ) -> Vec<Spanned<String>> {
        if self.rule(part) == LikeRule::Excluding || old.is_empty() {
            return new.to_vec();
        }
        if let Some(first) = new.first() {
            let table = &self.like.table.node;
            let message = format!("`{table}` has {what} already");
            let hint = format!("write LIKE {table} (EXCLUDING {word}) to declare another");
            let mistake = self.conflict(message, first.span.clone(), hint);
            self.mistakes.push(mistake);
        }
        old.to_vec()
    }

    fn options(
        &mut self,
        source: &CreateTable,
        create: &CreateTable,
    ) -> Vec<(Spanned<String>, Spanned<String>)> {
        let rule = self.rule(LikePart::Options);
        if rule == LikeRule::Excluding {
            return create.options.clone();
        }
        let new = |key: &str| create.options.iter().find(|(other, _)| other.node == key);
        let mut options = Vec::new();
        for (key, value) in &source.options {
            match new(&key.node) {
                None => options.push((key.clone(), value.clone())),
                Some((again, _)) if rule == LikeRule::Including => {
                    let table = &self.like.table.node;
                    let message = format!("`{table}` has the option '{}' already", key.node);
                    let hint = format!("write LIKE {table} (OVERWRITING OPTIONS) to replace it");
                    let mistake = self.conflict(message, again.span.clone(), hint);
                    self.mistakes.push(mistake);
                }
                Some(_) => {}
            }
        }
        options.extend(create.options.iter().cloned());
        options
    }
}

/// The part of LIKE that a column belongs to, if one can be declared anew.
fn part(kind: &ColumnKind) -> Option<&'static str> {
    match kind {
        ColumnKind::Physical { .. } => None,
        ColumnKind::Metadata { .. } => Some("METADATA"),
        ColumnKind::Computed { .. } => Some("GENERATED"),
    }
}
