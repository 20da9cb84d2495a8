//! Constant arguments that a function has to understand, such as a regular expression: a mistake in
//! one is told before anything runs.

use datafusion_common::{Result, ScalarValue};
use datafusion_expr::Expr;
use datafusion_expr::expr::ScalarFunction;

use super::pattern::Pattern;
use super::{bytes, json, regex};
use crate::diagnostic::Diagnostic;
use crate::plan::codes;
use crate::plan::refuse_with as refuse;

/// What a constant has to be.
type Check = fn(&str) -> std::result::Result<(), String>;

/// Functions with a pattern of time, and where it stands.
const WITH_TIME_PATTERN: &[&str] =
    &["to_timestamp", "date_format", "from_unixtime", "to_date", "unix_timestamp"];

fn checked(name: &str) -> Option<(usize, &'static str, Check)> {
    let time: Check = |text| Pattern::compile(text).map(drop);
    let (regex, path, charset): (Check, Check, Check) =
        (regex::check, json::check_path, bytes::check_charset);
    Some(match name {
        name if super::regex::WITH_PATTERN.contains(&name) => (1, "regular expression", regex),
        name if json::WITH_PATH.contains(&name) => (1, "path", path),
        name if WITH_TIME_PATTERN.contains(&name) => (1, "pattern of time", time),
        "encode" | "decode" => (1, "charset", charset),
        _ => return None,
    })
}

/// Checks the constants of a call.
///
/// # Errors
/// A diagnostic that says what is wrong with one.
pub(crate) fn check(call: &ScalarFunction) -> Result<()> {
    let Some((place, what, check)) = checked(call.func.name()) else { return Ok(()) };
    let Some(Expr::Literal(ScalarValue::Utf8(Some(text)), _)) = call.args.get(place) else {
        return Ok(());
    };
    check(text).map_err(|reason| {
        let message = format!("`{text}` is not a {what}: {reason}");
        refuse(
            Diagnostic::error(codes::BAD_CONSTANT, message)
                .hint(format!("see `millstream functions {}`", call.func.name().to_uppercase())),
        )
    })
}
