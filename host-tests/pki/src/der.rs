//! DER taken apart and put together again, to change what no library would write.

/// An element of this tag and content.
///
/// # Panics
///
/// The content is longer than 64 KiB.
#[must_use]
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).expect("a short content");
    let [high, low] = len.to_be_bytes();
    let head = match len {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&head, content].concat()
}

/// How long the header of the first element is, and its content.
fn lengths(der: &[u8]) -> (usize, usize) {
    match der[1] {
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(u16::from_be_bytes([der[2], der[3]]))),
        len => (2, usize::from(len)),
    }
}

/// The elements of a sequence, each whole.
///
/// # Panics
///
/// It is no DER, or longer than 64 KiB.
#[must_use]
pub fn elements(sequence: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &sequence[lengths(sequence).0..];
    let mut elements = Vec::new();
    while !rest.is_empty() {
        let (header, content) = lengths(rest);
        let (element, after) = rest.split_at(header + content);
        elements.push(element.to_vec());
        rest = after;
    }
    elements
}
