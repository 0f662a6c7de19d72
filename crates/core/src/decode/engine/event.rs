//! `docker events` and `podman events`, as JSON lines or as text.
pub(in crate::decode) fn events(input: crate::decode::Input<'_>, out: &mut crate::decode::Decoded) {
    let _ = (input, out);
}
