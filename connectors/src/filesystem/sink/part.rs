//! A file in the making: rows in, bytes out.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use millstream_operators::Batch;

use super::Config;
use super::stage::Staged;
use crate::error::{ConnectorError, Result};
use crate::filesystem::compression::Packer;
use crate::filesystem::io_error;
use crate::format::parquet::ParquetFile;
use crate::format::{self, Encoder, FormatOptions, Framing};

/// A file in the making.
pub(super) struct Part {
    /// The name under which it will be visible, below the sink's directory.
    name: String,
    /// Where it is now.
    path: PathBuf,
    opened: Duration,
    /// Whether there were rows since the end of the last epoch.
    has_rows: bool,
    content: Content,
    /// Whether the file is ours to remove: nobody could use what a failed job leaves unfinished.
    /// With epochs its beginning may be committed, and recovery decides.
    remove: bool,
}

enum Content {
    Records {
        /// None while it rests; then nothing is on its way to the file but what is in `buffer`.
        file: Option<File>,
        encoder: Box<dyn Encoder>,
        buffer: Vec<u8>,
        packer: Packer,
        /// Bytes in the file.
        written: u64,
    },
    Rows(Box<ParquetFile<File>>),
    /// The file was handed over.
    Closed,
}

impl Part {
    pub(super) fn create(
        config: &Config,
        name: String,
        path: PathBuf,
        remove: bool,
    ) -> Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(io_error(directory))?;
        }
        let file = File::create_new(&path).map_err(io_error(&path))?;
        let content = if config.framing == Framing::WholeFile {
            let options = FormatOptions::new(&format::parquet::INFO, "", &config.table.options)?;
            let place = path.display().to_string();
            Content::Rows(Box::new(ParquetFile::new(file, place, &config.schema, &options)?))
        } else {
            let encoder = format::for_table_encoder(&config.table)?;
            let mut buffer = encoder.header(&config.schema).unwrap_or_default();
            if !buffer.is_empty() {
                buffer.push(b'\n');
            }
            let packer = Packer::new(config.compression);
            Content::Records { file: Some(file), encoder, buffer, packer, written: 0 }
        };
        Ok(Part { name, path, opened: config.clock.elapsed(), has_rows: false, content, remove })
    }

    /// When it was begun, by the clock.
    pub(super) fn opened(&self) -> Duration {
        self.opened
    }

    pub(super) fn bytes(&self) -> u64 {
        match &self.content {
            Content::Records { buffer, written, .. } => written + buffer.len() as u64,
            Content::Rows(file) => file.bytes(),
            Content::Closed => 0,
        }
    }

    /// Whether its beginning is a file of its own, wherever a row ends.
    pub(super) fn can_be_cut(&self) -> bool {
        !matches!(self.content, Content::Rows(_))
    }

    /// Adds rows; once so many bytes are collected, they go to the file.
    pub(super) fn write(&mut self, batch: &Batch, collected: usize) -> Result<()> {
        self.has_rows = true;
        match &mut self.content {
            Content::Rows(file) => file.write(&batch.rows),
            Content::Records { encoder, buffer, .. } => {
                for row in 0..batch.num_rows() {
                    encoder.encode(batch, row, buffer).map_err(|error| ConnectorError::Data {
                        place: self.name.clone(),
                        reason: error.reason,
                        hint: None,
                    })?;
                    buffer.push(b'\n');
                }
                if buffer.len() >= collected { self.flush() } else { Ok(()) }
            }
            Content::Closed => Ok(()),
        }
    }

    /// Hands the bytes to the system, as far as they are packed.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.hand_over(false)
    }

    /// Closes the file until there is more to write to it. What is collected stays in memory.
    pub(super) fn rest(&mut self) -> Result<()> {
        if let Content::Records { packer, .. } = &self.content
            && packer.has_member()
        {
            self.hand_over(true)?;
        }
        if let Content::Records { file, buffer, .. } = &mut self.content {
            *file = None;
            buffer.shrink_to_fit();
        }
        Ok(())
    }

    /// With `whole`, what is then in the file can be unpacked.
    fn hand_over(&mut self, whole: bool) -> Result<()> {
        let Content::Records { file, buffer, packer, written, .. } = &mut self.content else {
            return Ok(());
        };
        if buffer.is_empty() && !(whole && packer.has_member()) {
            return Ok(());
        }
        let path = &self.path;
        let write = || -> std::io::Result<()> {
            let file = match file {
                Some(file) => file,
                none => none.insert(OpenOptions::new().append(true).open(path)?),
            };
            let mut packed = Vec::new();
            let bytes = if matches!(packer, Packer::Plain) {
                &*buffer
            } else {
                packer.write(buffer, &mut packed)?;
                if whole {
                    packer.end_member(&mut packed)?;
                }
                &packed
            };
            file.write_all(bytes)?;
            *written += bytes.len() as u64;
            Ok(())
        };
        write().map_err(io_error(&self.path))?;
        buffer.clear();
        Ok(())
    }

    /// Whether there were rows since this was asked last.
    pub(super) fn take_has_rows(&mut self) -> bool {
        std::mem::take(&mut self.has_rows)
    }

    /// Brings what was written to the disk; says how much that is.
    pub(super) fn sync(&mut self) -> Result<Staged> {
        self.hand_over(true)?;
        match &self.content {
            Content::Records { file: Some(file), .. } => file.sync_data(),
            // Any handle brings all that was written to the disk.
            Content::Records { file: None, .. } => {
                File::open(&self.path).and_then(|file| file.sync_data())
            }
            Content::Rows(_) | Content::Closed => Ok(()),
        }
        .map_err(io_error(&self.path))?;
        Ok(Staged { name: self.name.clone(), bytes: self.bytes() })
    }

    /// Completes the file and brings it to the disk; it stays where it is.
    pub(super) fn complete(mut self) -> Result<Staged> {
        self.hand_over(true)?;
        let name = self.name.clone();
        let file = match std::mem::replace(&mut self.content, Content::Closed) {
            Content::Records { file: Some(file), .. } => file,
            Content::Records { file: None, .. } => {
                File::open(&self.path).map_err(io_error(&self.path))?
            }
            Content::Rows(file) => file.finish()?,
            Content::Closed => return Ok(Staged { name, bytes: 0 }),
        };
        file.sync_all().map_err(io_error(&self.path))?;
        let bytes = file.metadata().map_err(io_error(&self.path))?.len();
        self.remove = false;
        Ok(Staged { name, bytes })
    }

    /// Completes the file and gives it its visible name.
    pub(super) fn publish(self, directory: &Path) -> Result<()> {
        let (hidden, visible) = (self.path.clone(), directory.join(&self.name));
        self.complete()?;
        fs::rename(&hidden, &visible).map_err(io_error(&visible))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.remove {
            // The job already reports its own failure; a file that stays behind is hidden.
            let _ = fs::remove_file(&self.path);
        }
    }
}
