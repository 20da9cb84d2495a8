//! `run -i`: standard input as a table whose columns are found in its first records.

use std::io::{self, Cursor, Read};
use std::path::Path;

use millstream::SourceText;
use millstream::connectors::format::infer::{Inferred, infer};
use millstream::connectors::stdin::Input;

use super::args::{InputFormat, SqlArguments};
use super::failure::Failure;
use super::say;

/// Bytes that are looked at for columns, at most.
const SAMPLE_BYTES: usize = 1 << 20;

/// Standard input, and the statement that declares it.
pub struct StandardInput {
    /// All of its bytes, also those that were looked at.
    pub input: Input,
    /// CREATE TABLE.
    pub declaration: String,
}

/// Reads the first records and declares the table that they are of, under the name that the SQL
/// has for it: `stdin` in upper or lower case.
pub fn declare(
    format: InputFormat,
    arguments: &SqlArguments,
    sql: &SourceText,
    quiet: bool,
) -> Result<StandardInput, Failure> {
    if is_sql(arguments) {
        let message = "standard input cannot be the SQL and its table".to_owned();
        let hint = "give the SQL after -e or in a file".to_owned();
        return Err(Failure::usage(message, Some(hint)));
    }
    let format = format.name();
    let mut stdin = io::stdin();
    let failed = |error| Failure::run(format!("standard input: {error}"), None);
    let sample = sample(&mut stdin, format).map_err(failed)?;
    let inferred = infer(format, &sample);
    if inferred.columns.is_empty() {
        let message = format!("standard input has no {format} record to take its columns from");
        let hint = "is it of another format? A table that is declared needs no records: CREATE \
                    TABLE … WITH ('connector' = 'stdin', 'format' = '…')";
        return Err(Failure::run(message, Some(hint.to_owned())));
    }
    let name = name_in(&sql.text);
    if !quiet {
        let columns = inferred.columns.iter().map(|(name, kind)| format!("{name} {kind}"));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let records = inferred.records;
        let plural = if records == 1 { "" } else { "s" };
        say(&format!("{name}: {columns} (from {records} record{plural})"));
    }
    let declaration = declaration(name, format, &inferred);
    let input = Input::of(Box::new(Cursor::new(sample).chain(stdin)));
    Ok(StandardInput { input, declaration })
}

/// Whether standard input is the SQL text, and so cannot be a table.
fn is_sql(arguments: &SqlArguments) -> bool {
    let file = arguments.file.as_deref();
    arguments.execute.is_none() && file.is_none_or(|file| file == Path::new("-"))
}

/// The first bytes, at least up to the end of the first record, and all that came with it.
fn sample(input: &mut dyn Read, format: &str) -> io::Result<Vec<u8>> {
    // Names alone say nothing of types.
    let lines = if format == "csv" { 2 } else { 1 };
    let mut sample = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let whole = sample.iter().filter(|byte| **byte == b'\n').count();
        if whole >= lines || sample.len() >= SAMPLE_BYTES {
            return Ok(sample);
        }
        match input.read(&mut buffer) {
            Ok(0) => return Ok(sample),
            Ok(read) => sample.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// How the SQL spells `stdin`.
fn name_in(sql: &str) -> &str {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = sql.split(|c| !is_word(c));
    words.find(|word| word.eq_ignore_ascii_case("stdin")).unwrap_or("stdin")
}

fn declaration(name: &str, format: &str, inferred: &Inferred) -> String {
    let column = |(name, kind): &(String, String)| format!("`{}` {kind}", name.replace('`', "``"));
    let columns: Vec<String> = inferred.columns.iter().map(column).collect();
    let mut options = vec![("connector", "stdin"), ("format", format)];
    options.extend(&inferred.options);
    let option = |(key, value): &(&str, &str)| format!("'{key}' = '{value}'");
    let options: Vec<String> = options.iter().map(option).collect();
    format!("CREATE TABLE `{name}` ({}) WITH ({});", columns.join(", "), options.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_spelled_as_in_the_sql() {
        assert_eq!(name_in("SELECT * FROM STDIN"), "STDIN");
        assert_eq!(name_in("SELECT my_stdin FROM stdin"), "stdin");
        assert_eq!(name_in("SELECT 1"), "stdin");
    }

    #[test]
    fn a_sample_is_whole_records_or_all_there_is() {
        let read = |text: &str, format| {
            sample(&mut text.as_bytes(), format).map(|sample| sample.len()).ok()
        };
        assert_eq!(read("{}", "json"), Some(2));
        assert_eq!(read("a,b\n", "csv"), Some(4));
    }
}
