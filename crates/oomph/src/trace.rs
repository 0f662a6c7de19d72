//! Memory traces in files: plain, gzip or zstd, told apart by their first bytes and read piece by piece.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use oomph_core::fact::Gap;
use oomph_core::size::trace::{Reader, Trace};
use ruzstd::decoding::StreamingDecoder;

/// Bytes that are decoded before they are read as lines.
const PIECE: usize = 256 << 10;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Reads a trace; `-` is stdin. An error is that there is nothing to read; a file that breaks off gives what it held.
pub fn read(path: &Path) -> io::Result<Trace> {
    if path.as_os_str() == "-" {
        return decode(BufReader::with_capacity(PIECE, io::stdin().lock()), 0);
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    decode(BufReader::with_capacity(PIECE, file), length)
}

/// Decodes what `source` holds, of so many bytes where that is known.
pub fn decode(mut source: impl BufRead, length: u64) -> io::Result<Trace> {
    let head = source.fill_buf()?;
    let (gzip, zstd) = (head.starts_with(GZIP), head.starts_with(ZSTD));
    let mut reader = Reader::of_length(if gzip || zstd { 0 } else { length });
    let end = if gzip {
        drain(MultiGzDecoder::new(source), &mut reader)
    } else if zstd {
        frames(source, &mut reader)
    } else {
        drain(source, &mut reader)
    };
    let mut trace = if end.is_ok() { reader.finish() } else { reader.finish_broken() };
    if let Err(error) = end {
        let because = format!("the file breaks off: {error}");
        trace.gaps.push(Gap { what: "the rest of the trace".into(), because, command: String::new() });
    }
    Ok(trace)
}

/// Every frame of a zstd file: tools that compress on several cores write many.
fn frames(mut source: impl BufRead, reader: &mut Reader) -> io::Result<()> {
    while !source.fill_buf()?.is_empty() {
        let frame = StreamingDecoder::new(&mut source).map_err(io::Error::other)?;
        drain(frame, reader)?;
    }
    Ok(())
}

fn drain(mut source: impl Read, reader: &mut Reader) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => reader.feed(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const TEXT: &str = "series,time_s,bytes\na,1,2\nb,1,3\n";

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &str) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn a_trace_is_the_same_plain_and_compressed_in_parts() {
        let plain = decode(TEXT.as_bytes(), 0).unwrap();
        assert_eq!((plain.histories.len(), plain.gaps.len()), (2, 0));
        let (head, tail) = TEXT.split_at(24);
        for packed in [gzip(TEXT), zstd(TEXT), [gzip(head), gzip(tail)].concat(), [zstd(head), zstd(tail)].concat()] {
            assert_eq!(decode(packed.as_slice(), 0).unwrap(), plain);
        }
    }

    #[test]
    fn a_file_that_breaks_off_gives_what_it_held() {
        let mut text = String::from("series,time_s,bytes\n");
        (0..50_000).for_each(|row| text.push_str(&format!("a,{row},{}\n", row * 7919 % 1_000_003)));
        for packed in [gzip(&text), zstd(&text)] {
            let trace = decode(&packed[..packed.len() / 2], 0).unwrap();
            let read = trace.histories.first().map_or(0, |history| history.at.len());
            assert!((1..50_000).contains(&read), "{read} rows");
            assert!(trace.gaps.iter().any(|gap| gap.because.contains("breaks off")), "{:?}", trace.gaps);
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        assert!(read(Path::new("no/such/trace.csv")).is_err());
    }
}
