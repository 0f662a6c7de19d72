//! The stream in which an engine sends a container's output.

/// Takes the frames of a multiplexed stream apart: a byte for the stream (1 stdout, 2 stderr), three of zero, the
/// length as four bytes, the most significant first, then the output (Docker Engine API 1.41, `ContainerAttach`).
/// Output of a terminal has no frames. Stops where the bytes are no frame, keeping what a cut one holds.
pub(super) fn without_frames(stream: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(stream.len());
    let mut rest = stream;
    while let Some((&[0..=3, 0, 0, 0, a, b, c, d], tail)) = rest.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX).min(tail.len());
        output.extend_from_slice(&tail[..length]);
        rest = &tail[length..];
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn output_and_errors_come_in_the_order_sent() {
        let stream = b"\x01\0\0\0\0\0\0\x04one\n\x02\0\0\0\0\0\0\x04two\n\x01\0\0\0\0\0\0\x00";
        assert_eq!(without_frames(stream), b"one\ntwo\n");
    }

    #[test]
    fn of_a_cut_frame_what_came_is_kept() {
        assert_eq!(without_frames(b"\x01\0\0\0\0\0\x01\0begun"), b"begun");
        assert_eq!(without_frames(b"\x01\0\0\0\0\0\0"), b"");
        assert_eq!(without_frames(b"\x02\0\0\0\xff\xff\xff\xff"), b"");
        assert_eq!(without_frames(b"a line without frames\n"), b"");
    }

    proptest! {
        #[test]
        fn no_stream_panics_or_grows(stream in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(without_frames(&stream).len() <= stream.len());
        }

        #[test]
        fn whatever_is_framed_comes_out_again(lines in prop::collection::vec((1_u8..=2, "[^\n]{0,40}\n"), 0..10)) {
            let mut stream = Vec::new();
            for (number, line) in &lines {
                stream.extend_from_slice(&[*number, 0, 0, 0]);
                stream.extend_from_slice(&u32::try_from(line.len()).unwrap().to_be_bytes());
                stream.extend_from_slice(line.as_bytes());
            }
            let said: String = lines.into_iter().map(|(_, line)| line).collect();
            prop_assert_eq!(without_frames(&stream), said.into_bytes());
        }
    }
}
