//! Compressed files: which are, and their bytes on the way in and out.
//!
//! A compressed file has no places to start at but its beginning, so it is one split, and its
//! positions count bytes as they are when unpacked: going on at one means unpacking up to it.
//!
//! What is written is a row of whole **members**, each a compressed file in its own right; gzip and
//! zstd read them as one. A part ends its member where an epoch ends, so that it can be cut there.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;

use super::io_error;
use crate::TableSpec;
use crate::error::{ConnectorError, Result};
use crate::format::Framing;
use crate::options::{OptionInfo, OptionKind, Options, option};

/// How the bytes of a file are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Compression {
    #[default]
    None,
    Gzip,
    Zstd,
    Deflate,
}

/// The option's entry among those of the connector.
pub(super) const OPTION: OptionInfo = option(
    NAME,
    OptionKind::OneOf(&["auto", "none", "gzip", "zstd", "deflate"]),
    Some("auto"),
    "How files are compressed. `auto` reads `.gz`, `.zst` and `.deflate` by their endings, as Flink \
     does, and writes plain files; `gzip` and `zstd` are written, too.",
);

const NAME: &str = "compression";

/// What the option says: `None` is `auto`.
fn chosen(options: &Options<'_>) -> Result<Option<Compression>> {
    Ok(match options.one_of(NAME)? {
        Some("none") => Some(Compression::None),
        Some("gzip") => Some(Compression::Gzip),
        Some("zstd") => Some(Compression::Zstd),
        Some("deflate") => Some(Compression::Deflate),
        _ => None,
    })
}

/// Whether the option goes with the table's format.
pub(super) fn check(table: &TableSpec, options: &Options<'_>, framing: Framing) -> Result<()> {
    let packs = !matches!(chosen(options)?, None | Some(Compression::None));
    if packs && framing == Framing::WholeFile {
        let format = table.options.get("format").map_or("", String::as_str);
        let hint = format!("leave it out; `{format}.compression` is what {format} has");
        let reason = format!("format `{format}` compresses its files itself");
        return Err(options.error(NAME, reason, Some(hint)));
    }
    Ok(())
}

/// How a table's parts are written.
///
/// # Errors
/// For what can only be read.
pub(super) fn of_sink(options: &Options<'_>) -> Result<Compression> {
    match chosen(options)?.unwrap_or_default() {
        Compression::Deflate => {
            let hint = "write 'gzip' or 'zstd'".to_owned();
            Err(options.error(NAME, "`deflate` can only be read".to_owned(), Some(hint)))
        }
        compression => Ok(compression),
    }
}

/// How files of a table are read: as the option says, or by their names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading(Option<Compression>);

impl Reading {
    pub(super) fn new(options: &Options<'_>, framing: Framing) -> Result<Self> {
        let whole = framing == Framing::WholeFile;
        Ok(Reading(if whole { Some(Compression::None) } else { chosen(options)? }))
    }

    /// How this file is packed.
    ///
    /// # Errors
    /// If by its name it is packed in a way that cannot be read.
    pub(super) fn of(self, path: &Path) -> Result<Compression> {
        if let Some(compression) = self.0 {
            return Ok(compression);
        }
        let extension = path.extension().map(|text| text.to_string_lossy().to_ascii_lowercase());
        Ok(match extension.as_deref() {
            Some("gz" | "gzip") => Compression::Gzip,
            Some("zst" | "zstd") => Compression::Zstd,
            Some("deflate") => Compression::Deflate,
            Some(extension @ ("bz2" | "xz")) => {
                // Not something that may pass: looking again would find the same file.
                return Err(ConnectorError::Data {
                    place: path.display().to_string(),
                    reason: format!("files of `.{extension}` cannot be read"),
                    hint: Some(
                        "pack it with gzip or zstd instead; if it is not packed at all, say \
                         'compression' = 'none'"
                            .to_owned(),
                    ),
                });
            }
            _ => Compression::None,
        })
    }
}

impl Compression {
    /// What stands at the end of the names of files.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
            Compression::Deflate => ".deflate",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Compression::None => "plain",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Deflate => "deflate",
        }
    }

    fn unpack(self, file: File) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Compression::None => Box::new(file),
            Compression::Gzip => Box::new(MultiGzDecoder::new(file)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(file)?),
            Compression::Deflate => Box::new(ZlibDecoder::new(file)),
        })
    }
}

/// The bytes of a file, unpacked.
pub(super) struct FileBytes {
    path: PathBuf,
    compression: Compression,
    content: Content,
}

enum Content {
    Plain(File),
    /// Unpacked up to a position.
    Stream(Box<dyn Read + Send>, u64),
}

impl FileBytes {
    pub(super) fn open(path: &Path, compression: Compression) -> Result<Self> {
        let file = File::open(path).map_err(io_error(path))?;
        let content = match compression {
            Compression::None => Content::Plain(file),
            packed => Content::Stream(packed.unpack(file).map_err(io_error(path))?, 0),
        };
        Ok(FileBytes { path: path.to_owned(), compression, content })
    }

    /// Another reader of the same file, from its beginning.
    pub(super) fn again(&self) -> Result<Self> {
        FileBytes::open(&self.path, self.compression)
    }

    /// Reads some bytes from position `from` on; 0 at the end. Going back in a packed file begins
    /// at its beginning.
    ///
    /// # Errors
    /// If the file cannot be read, or is not packed as it should be; then the place is a byte of
    /// what was unpacked.
    pub(super) fn read_at(&mut self, buffer: &mut [u8], from: u64) -> Result<usize> {
        if let Content::Plain(file) = &self.content {
            return file.read_at(buffer, from).map_err(io_error(&self.path));
        }
        if matches!(&self.content, Content::Stream(_, at) if *at > from) {
            *self = self.again()?;
        }
        let Content::Stream(stream, at) = &mut self.content else { return Ok(0) };
        let result = skip_and_read(stream, at, from, buffer);
        let at = *at;
        result.map_err(|error| self.broken(error, at))
    }

    /// What is wrong with the file where a record in it makes no sense: what was unpacked behind
    /// damage is not what was written, and often it is only the checksum at the end that tells.
    pub(super) fn damage(&self) -> Option<ConnectorError> {
        if matches!(self.content, Content::Plain(_)) {
            return None;
        }
        let mut file = self.again().ok()?;
        let (mut buffer, mut at) = (vec![0; 64 << 10], 0);
        loop {
            match file.read_at(&mut buffer, at) {
                Ok(0) => return None,
                Ok(read) => at += read as u64,
                Err(error) => return matches!(error, ConnectorError::Data { .. }).then_some(error),
            }
        }
    }

    fn broken(&self, error: io::Error, at: u64) -> ConnectorError {
        if error.raw_os_error().is_some() {
            return io_error(&self.path)(error);
        }
        let name = self.compression.name();
        let reason = match (error.kind(), at) {
            (ErrorKind::UnexpectedEof, 0) => format!("it is not {name}, or only its beginning"),
            (ErrorKind::UnexpectedEof, _) => {
                format!("the {name} file ends in the middle, after {at} bytes of its content")
            }
            (_, 0) => format!("it is not {name}: {error}"),
            _ => format!("the {name} stream is damaged after {at} bytes of its content: {error}"),
        };
        let hint = "is the file whole, and packed as its name says? The option `compression` \
                    says it if the name does not";
        ConnectorError::Data {
            place: self.path.display().to_string(),
            reason,
            hint: Some(hint.to_owned()),
        }
    }
}

fn skip_and_read(
    stream: &mut dyn Read,
    at: &mut u64,
    from: u64,
    buffer: &mut [u8],
) -> io::Result<usize> {
    while *at < from {
        let wanted = usize::try_from(from - *at).unwrap_or(usize::MAX).min(buffer.len());
        let read = read_some(stream, &mut buffer[..wanted])?;
        if read == 0 {
            return Ok(0);
        }
        *at += read as u64;
    }
    let read = read_some(stream, buffer)?;
    *at += read as u64;
    Ok(read)
}

fn read_some(stream: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn zstd_encoder() -> io::Result<zstd::stream::write::Encoder<'static, Vec<u8>>> {
    let level = zstd::DEFAULT_COMPRESSION_LEVEL;
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level)?;
    // Without it, damage could be read as rows.
    encoder.include_checksum(true)?;
    Ok(encoder)
}

/// Packs what is written to a part.
pub(super) enum Packer {
    Plain,
    Gzip(Option<GzEncoder<Vec<u8>>>),
    Zstd(Option<zstd::stream::write::Encoder<'static, Vec<u8>>>),
}

impl Packer {
    pub(super) fn new(compression: Compression) -> Self {
        match compression {
            Compression::None | Compression::Deflate => Packer::Plain,
            Compression::Gzip => Packer::Gzip(None),
            Compression::Zstd => Packer::Zstd(None),
        }
    }

    /// Whether a member is begun that is not ended.
    pub(super) fn has_member(&self) -> bool {
        matches!(self, Packer::Gzip(Some(_)) | Packer::Zstd(Some(_)))
    }

    /// Takes bytes and appends to `out` what is packed of them by now.
    pub(super) fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Packer::Plain => out.extend_from_slice(bytes),
            _ if bytes.is_empty() => {}
            Packer::Gzip(member) => {
                let new = || GzEncoder::new(Vec::new(), flate2::Compression::default());
                let member = member.get_or_insert_with(new);
                member.write_all(bytes)?;
                out.append(member.get_mut());
            }
            Packer::Zstd(member) => {
                let member = match member {
                    Some(member) => member,
                    none => none.insert(zstd_encoder()?),
                };
                member.write_all(bytes)?;
                out.append(member.get_mut());
            }
        }
        Ok(())
    }

    /// Ends the member: what was appended to `out` so far is whole.
    pub(super) fn end_member(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let rest = match self {
            Packer::Plain => None,
            Packer::Gzip(member) => member.take().map(GzEncoder::finish).transpose()?,
            Packer::Zstd(member) => member.take().map(|member| member.finish()).transpose()?,
        };
        out.extend(rest.into_iter().flatten());
        Ok(())
    }
}
