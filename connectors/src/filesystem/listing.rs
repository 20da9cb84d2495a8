//! From the option `path` to the files that it means, sorted by path.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use glob::MatchOptions;
use regex::Regex;

use super::io_error;
use crate::error::{ConnectorError, Result};
use crate::options::{Options, did_you_mean};

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileEntry {
    pub(super) path: PathBuf,
    pub(super) size_bytes: u64,
    /// Milliseconds since the Unix epoch.
    pub(super) modified_ms: i64,
}

/// The option `source.path.regex-pattern`, which has to match whole paths.
///
/// # Errors
/// If it is no regular expression.
pub(super) fn pattern(options: &Options<'_>) -> Result<Option<Regex>> {
    const NAME: &str = "source.path.regex-pattern";
    let Some(text) = options.text(NAME) else { return Ok(None) };
    match Regex::new(&format!("^(?:{text})$")) {
        Ok(pattern) => Ok(Some(pattern)),
        Err(error) => Err(options.error(NAME, error.to_string(), None)),
    }
}

/// The files that an absolute path, directory or glob means.
///
/// # Errors
/// If there are none and the path is not `watched`, or one cannot be looked at.
pub(super) fn list(path: &Path, pattern: Option<&Regex>, watched: bool) -> Result<Vec<FileEntry>> {
    let mut files = Vec::new();
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => add_directory(path, &mut files)?,
        Ok(metadata) => add_file(path, &metadata, &mut files)?,
        Err(_) if is_glob(path) => add_glob(path, &mut files)?,
        Err(error) => return Err(missing(path, &error)),
    }
    files.retain(|file| pattern.is_none_or(|p| p.is_match(&file.path.to_string_lossy())));
    files.sort();
    if files.is_empty() && !watched {
        return Err(ConnectorError::Unavailable {
            message: format!("there are no files to read in {}", path.display()),
            hint: Some(match pattern {
                Some(pattern) => format!("`source.path.regex-pattern` is {pattern}"),
                None => "names that start with `.` or `_` do not count".into(),
            }),
        });
    }
    Ok(files)
}

fn is_glob(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn add_glob(path: &Path, files: &mut Vec<FileEntry>) -> Result<()> {
    let wrong = |message: String| ConnectorError::Options {
        message,
        option: Some("path".into()),
        hint: Some("`*`, `?`, `[…]` and `**` stand for parts of names".into()),
    };
    let text = path.to_str().ok_or_else(|| wrong("the path is not UTF-8".into()))?;
    // A `*` does not stand for a leading dot, not even of a directory's name.
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
    let matches =
        glob::glob_with(text, options).map_err(|error| wrong(format!("{text}: {error}")))?;
    for found in matches {
        let found = found.map_err(|error| ConnectorError::Io {
            place: error.path().display().to_string(),
            source: error.into(),
        })?;
        let Some(metadata) = metadata(&found)? else { continue };
        if metadata.is_dir() {
            add_directory(&found, files)?;
        } else if !is_hidden(&found) {
            add_file(&found, &metadata, files)?;
        }
    }
    Ok(())
}

fn add_directory(directory: &Path, files: &mut Vec<FileEntry>) -> Result<()> {
    for entry in fs::read_dir(directory).map_err(io_error(directory))? {
        let path = entry.map_err(io_error(directory))?.path();
        if is_hidden(&path) {
            continue;
        }
        let Some(metadata) = metadata(&path)? else { continue };
        if metadata.is_dir() {
            add_directory(&path, files)?;
        } else {
            add_file(&path, &metadata, files)?;
        }
    }
    Ok(())
}

/// `None` for a file that was there a moment ago: files come and go while a directory is listed.
fn metadata(path: &Path) -> Result<Option<Metadata>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() => {
            Ok(None)
        }
        found => found.map(Some).map_err(io_error(path)),
    }
}

fn add_file(path: &Path, metadata: &Metadata, files: &mut Vec<FileEntry>) -> Result<()> {
    if !metadata.is_file() {
        return Err(ConnectorError::Unavailable {
            message: format!("{} is not a regular file", path.display()),
            hint: Some("pipes and devices cannot be read in parallel or resumed".into()),
        });
    }
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    files.push(FileEntry {
        path: path.to_owned(),
        size_bytes: metadata.len(),
        modified_ms: modified.map_or(0, |time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
    });
    Ok(())
}

/// Files in the making and markers are hidden, as in Flink.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| name.starts_with(['.', '_']))
}

fn missing(path: &Path, error: &std::io::Error) -> ConnectorError {
    if error.kind() != std::io::ErrorKind::NotFound {
        return ConnectorError::Unavailable {
            message: format!("cannot read {}: {error}", path.display()),
            hint: None,
        };
    }
    // A neighbour with nearly the same name, or the part of the path that does exist.
    let parent = path.parent().unwrap_or(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let neighbours: Vec<String> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let hint = if parent.is_dir() {
        did_you_mean(&name, neighbours.iter().map(String::as_str))
    } else {
        let existing = path.ancestors().find(|ancestor| ancestor.is_dir());
        existing.map(|existing| format!("{} is all that exists of it", existing.display()))
    };
    ConnectorError::Unavailable {
        message: format!("there is no file {}", path.display()),
        hint: hint.or_else(|| Some("check the option `path`".into())),
    }
}
