//! The in-memory store: ordered maps, nothing else. The model that other stores are held to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;

use crate::error::Result;
use crate::{EventTime, SharedStore, StateStore, TableId};

/// State in this process's memory; gone when the process is.
#[derive(Default)]
pub struct MemoryStore {
    runs: BTreeMap<TableId, BTreeMap<EventTime, Vec<RecordBatch>>>,
    values: BTreeMap<TableId, BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryStore {
    /// An empty store, ready to be shared by the operators of a task.
    pub fn shared() -> SharedStore {
        Arc::new(Mutex::new(MemoryStore::default()))
    }
}

impl StateStore for MemoryStore {
    fn append_run(&mut self, table: &TableId, pane: EventTime, run: RecordBatch) -> Result<()> {
        self.runs.entry(table.clone()).or_default().entry(pane).or_default().push(run);
        Ok(())
    }

    fn runs(&self, table: &TableId, pane: EventTime) -> Result<Vec<RecordBatch>> {
        let runs = self.runs.get(table).and_then(|panes| panes.get(&pane));
        Ok(runs.cloned().unwrap_or_default())
    }

    fn panes(&self, table: &TableId) -> Result<Vec<EventTime>> {
        Ok(self.runs.get(table).map(|panes| panes.keys().copied().collect()).unwrap_or_default())
    }

    fn drop_pane(&mut self, table: &TableId, pane: EventTime) -> Result<()> {
        if let Some(panes) = self.runs.get_mut(table) {
            panes.remove(&pane);
        }
        Ok(())
    }

    fn get(&self, table: &TableId, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.values.get(table).and_then(|values| values.get(key)).cloned())
    }

    fn put(&mut self, table: &TableId, key: &[u8], value: &[u8]) -> Result<()> {
        self.values.entry(table.clone()).or_default().insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn bytes(&self, table: &TableId) -> u64 {
        let runs = self.runs.get(table).into_iter().flat_map(BTreeMap::values).flatten();
        let values = self.values.get(table).into_iter().flatten();
        runs.map(|run| run.get_array_memory_size() as u64).sum::<u64>()
            + values.map(|(key, value)| (key.len() + value.len()) as u64).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array};

    use super::*;

    fn run(values: &[i64]) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
        RecordBatch::try_from_iter([("n", column)]).expect("one column")
    }

    #[test]
    fn runs_come_back_in_order_until_their_pane_is_dropped() {
        let (mut store, table) = (MemoryStore::default(), TableId::new("w", "panes"));
        let (early, later) = (EventTime::from_ms(0), EventTime::from_ms(10));
        store.append_run(&table, later, run(&[1])).expect("append");
        store.append_run(&table, early, run(&[2])).expect("append");
        store.append_run(&table, later, run(&[3])).expect("append");
        assert_eq!(store.panes(&table).expect("panes"), [early, later]);
        assert_eq!(store.runs(&table, later).expect("runs"), [run(&[1]), run(&[3])]);
        store.drop_pane(&table, later).expect("drop");
        assert_eq!(store.panes(&table).expect("panes"), [early]);
        assert!(store.runs(&table, later).expect("runs").is_empty());
    }

    #[test]
    fn tables_do_not_see_each_other() {
        let mut store = MemoryStore::default();
        let (a, b) = (TableId::new("a", "v"), TableId::new("b", "v"));
        store.put(&a, b"k", b"1").expect("put");
        assert_eq!(store.get(&a, b"k").expect("get").as_deref(), Some(&b"1"[..]));
        assert_eq!(store.get(&b, b"k").expect("get"), None);
        assert_eq!((store.bytes(&a), store.bytes(&b)), (2, 0));
    }
}
