//! Compressed indexes and members of packages: xz, zstd and gzip.

use std::io::{self, Read};

use liblzma::stream::{CONCATENATED, Stream};

/// The most memory that a decoder of xz may take; `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;

/// The largest window of zstd, as a power of two; `dpkg-deb` stays far below.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How something is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Xz,
    Zstd,
    Gzip,
    None,
}

impl Compression {
    /// The compression that a file name's ending stands for, and the name without it.
    pub(crate) fn of(name: &str) -> (Self, &str) {
        for (ending, compression) in [(".xz", Self::Xz), (".zst", Self::Zstd), (".gz", Self::Gzip)] {
            if let Some(stem) = name.strip_suffix(ending) {
                return (compression, stem);
            }
        }
        (Self::None, name)
    }

    /// Reads what was compressed.
    pub(crate) fn reader<'a>(self, bytes: &'a [u8]) -> io::Result<Box<dyn Read + Send + 'a>> {
        Ok(match self {
            Self::Xz => {
                let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED)?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(bytes, stream))
            }
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(bytes)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(bytes)),
            Self::None => Box::new(bytes),
        })
    }
}

/// Reads at most so many bytes, and fails if there are more.
pub(crate) fn read_bounded(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it holds more than {limit} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{Compression, read_bounded};

    #[test]
    fn what_was_compressed_comes_back() {
        let text = b"hello ".repeat(1000);
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 6);
        xz.write_all(&text).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&text).unwrap();
        let zstd = zstd::encode_all(&text[..], 3).unwrap();
        for (name, bytes) in [
            ("a.tar.xz", xz.finish().unwrap()),
            ("a.tar.gz", gzip.finish().unwrap()),
            ("a.tar.zst", zstd),
            ("a.tar", text.clone()),
        ] {
            let (compression, stem) = Compression::of(name);
            assert_eq!(stem, "a.tar");
            assert_eq!(read_bounded(compression.reader(&bytes).unwrap(), 6000).unwrap(), text, "{name}");
            assert!(read_bounded(compression.reader(&bytes).unwrap(), 5999).is_err(), "{name}");
            let cut = compression.reader(&bytes[..bytes.len() / 2]).map(|reader| read_bounded(reader, 6000));
            assert!(name == "a.tar" || cut.is_ok_and(|result| result.is_err()), "{name}");
        }
    }
}
