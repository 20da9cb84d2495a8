//! How the database is set up, each setting with its reason.
//!
//! The write-ahead log is off: a job goes on from checkpoints only, and a checkpoint flushes. All
//! column families are flushed together (`atomic_flush`), or a checkpoint could hold half an epoch.
//! Compaction is **universal**: it merges runs of like size, so what an epoch costs in the long run
//! is its own bytes times a logarithm. Levelled compaction would rewrite a whole level every few
//! epochs, however little they had touched.

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompactionStyle, DBCompressionType,
    LogLevel, Options, UniversalCompactOptions, WriteBufferManager,
};

use super::keys::{META, PANES, ROWS, RUNS};

/// Block cache and write buffers of one database, charged to one limit.
///
/// The limit is for what can be given up. Blocks that a read holds at the moment come on top, for a
/// read must not fail because the cache is small.
#[derive(Clone)]
pub struct Memory {
    cache: Cache,
    writes: WriteBufferManager,
    buffer_bytes: usize,
}

impl Memory {
    /// Of this many bytes; 8 MiB at least.
    pub fn new(cache_bytes: u64) -> Self {
        let bytes = usize::try_from(cache_bytes.max(8 << 20)).unwrap_or(usize::MAX);
        let cache = Cache::new_lru_cache(bytes);
        let writes = WriteBufferManager::new_write_buffer_manager_with_cache(
            bytes / 2,
            false,
            cache.clone(),
        );
        Memory { cache, writes, buffer_bytes: (bytes / 8).clamp(1 << 20, 32 << 20) }
    }

    /// Bytes of cached blocks and write buffers.
    pub fn used_bytes(&self) -> u64 {
        self.cache.get_usage() as u64
    }
}

/// Options of the database as a whole.
pub fn database(memory: &Memory) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_atomic_flush(true);
    options.set_paranoid_checks(true);
    options.set_write_buffer_manager(&memory.writes);
    // One flush and one compaction at a time: the cores are for the job.
    options.set_max_background_jobs(2);
    options.set_max_open_files(512);
    // It is copied into every checkpoint, so it must not grow with the age of the job.
    options.set_max_manifest_file_size(256 << 10);
    options.set_avoid_unnecessary_blocking_io(true);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(1);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

/// The column families with their options.
pub fn families(memory: &Memory) -> Vec<ColumnFamilyDescriptor> {
    let family = |name: &str| ColumnFamilyDescriptor::new(name, family(memory, name));
    ["default", META, PANES, RUNS, ROWS].map(family).into()
}

fn family(memory: &Memory, name: &str) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&memory.cache);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_format_version(6);
    if name == ROWS {
        // Rows are looked up one by one, and mostly are in one of many files. Runs are found by the
        // directory and are never looked for in vain.
        table.set_bloom_filter(10.0, false);
        table.set_optimize_filters_for_memory(true);
    }
    table.set_block_size(if name == RUNS { 64 << 10 } else { 8 << 10 });

    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_compaction_style(DBCompactionStyle::Universal);
    let mut universal = UniversalCompactOptions::default();
    universal.set_max_size_amplification_percent(100);
    universal.set_compression_size_percent(-1);
    options.set_universal_compaction_options(&universal);
    options.set_write_buffer_size(memory.buffer_bytes);
    options.set_max_write_buffer_number(3);
    options.set_target_file_size_base(64 << 20);
    options
}
