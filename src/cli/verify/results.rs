//! What a run has written, as a multiset of rows: order does not count, number does.
//!
//! Rows are held as hashes, so that results of many millions of rows can be compared; the text of
//! those that differ is read again from the files.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

/// How many rows of each kind are shown.
const SHOWN: usize = 5;

/// The rows of one run, by table.
pub struct Results {
    directory: PathBuf,
    tables: BTreeMap<String, HashMap<u64, i64>>,
}

/// How two runs differ in one table.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// Rows that the run with crashes lacks, counted as often as they are missing.
    pub lost: u64,
    /// Rows that it has too often.
    pub doubled: u64,
    /// Some of these rows, with what is wrong.
    pub examples: Vec<String>,
}

impl Results {
    /// Reads what is finished below `directory`, a folder a table. Names that start with `.` or
    /// `_` are not finished.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let mut results = Results { directory: directory.to_owned(), tables: BTreeMap::new() };
        if !directory.exists() {
            return Ok(results);
        }
        for table in sorted_entries(directory)? {
            let mut counts = HashMap::new();
            each_line(&table, &mut |line| *counts.entry(hash(line)).or_default() += 1)?;
            results.tables.insert(file_name(&table), counts);
        }
        Ok(results)
    }

    /// Number of rows in all tables.
    pub fn rows(&self) -> u64 {
        self.tables.values().flat_map(HashMap::values).map(|count| *count as u64).sum()
    }

    /// Number of tables.
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    /// How `self`, the undisturbed run, and `other` differ; empty if they are equal.
    pub fn compare(&self, other: &Results) -> io::Result<Vec<Difference>> {
        let none = HashMap::new();
        let names = self.tables.keys().chain(other.tables.keys());
        let names: std::collections::BTreeSet<&String> = names.collect();
        let mut differences = Vec::new();
        for name in names {
            let expected = self.tables.get(name).unwrap_or(&none);
            let found = other.tables.get(name).unwrap_or(&none);
            let mut surplus: HashMap<u64, i64> = found.clone();
            for (row, count) in expected {
                *surplus.entry(*row).or_default() -= count;
            }
            surplus.retain(|_, count| *count != 0);
            if surplus.is_empty() {
                continue;
            }
            let sum = |sign: i64| surplus.values().map(|count| (count * sign).max(0) as u64).sum();
            let mut difference = Difference {
                table: name.clone(),
                lost: sum(-1),
                doubled: sum(1),
                examples: Vec::new(),
            };
            difference.add_examples(&self.directory, &surplus, -1, "lost")?;
            difference.add_examples(&other.directory, &surplus, 1, "too many")?;
            differences.push(difference);
        }
        Ok(differences)
    }
}

impl Difference {
    fn add_examples(
        &mut self,
        directory: &Path,
        surplus: &HashMap<u64, i64>,
        sign: i64,
        what: &str,
    ) -> io::Result<()> {
        let table = directory.join(&self.table);
        if !table.exists() {
            return Ok(());
        }
        let mut shown: BTreeMap<u64, String> = BTreeMap::new();
        each_line(&table, &mut |line| {
            let row = hash(line);
            let wrong = surplus.get(&row).map_or(0, |count| count * sign);
            if wrong > 0 && shown.len() < SHOWN {
                let text = String::from_utf8_lossy(line);
                shown.entry(row).or_insert_with(|| format!("{wrong} × {what}: {text}"));
            }
        })?;
        self.examples.extend(shown.into_values());
        Ok(())
    }
}

fn each_line(path: &Path, visit: &mut impl FnMut(&[u8])) -> io::Result<()> {
    if path.is_dir() {
        return sorted_entries(path)?.iter().try_for_each(|entry| each_line(entry, visit));
    }
    for line in BufReader::with_capacity(1 << 20, File::open(path)?).split(b'\n') {
        visit(&line?);
    }
    Ok(())
}

fn sorted_entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.retain(|path| !file_name(path).starts_with(['.', '_']));
    entries.sort();
    Ok(entries)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(lines: &[(&str, &str)]) -> (tempfile::TempDir, Results) {
        let directory = tempfile::tempdir().expect("a directory");
        for (file, content) in lines {
            let path = directory.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
            std::fs::write(path, content).expect("written");
        }
        let results = Results::read(directory.path()).expect("read");
        (directory, results)
    }

    #[test]
    fn order_and_files_do_not_count_and_number_does() {
        let (_one, one) = results(&[("t/part-0", "a\nb\n"), ("t/part-1", "b\n")]);
        let (_same, same) =
            results(&[("t/part-7", "b\na\nb\n"), ("t/_commits/1", "x\n"), ("t/.part-8", "x\n")]);
        assert_eq!(one.compare(&same).expect("read"), []);
        assert_eq!((same.rows(), same.tables()), (3, 1));
        let (_other, other) = results(&[("t/part-0", "a\na\nb\n")]);
        let differences = one.compare(&other).expect("read");
        assert_eq!((differences[0].lost, differences[0].doubled), (1, 1));
        assert_eq!(differences[0].examples, ["1 × lost: b", "1 × too many: a"]);
    }

    #[test]
    fn a_missing_table_is_lost() {
        let (_one, one) = results(&[("t/part-0", "a\n"), ("u/part-0", "a\n")]);
        let (_other, other) = results(&[("u/part-0", "a\n")]);
        let differences = one.compare(&other).expect("read");
        assert_eq!((differences[0].table.as_str(), differences[0].lost), ("t", 1));
    }
}
