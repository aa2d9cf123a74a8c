//! A form body: `application/x-www-form-urlencoded`, wiped when dropped.

use zeroize::Zeroizing;

/// A form that is being filled. It holds assertions: its place is reserved once, and wiped.
pub(super) struct Form(Zeroizing<Vec<u8>>);

impl Form {
    /// With these members in this order.
    pub(super) fn of(members: &[(&str, &str)]) -> Self {
        // Each byte may become three.
        let room = members
            .iter()
            .map(|(name, value)| name.len() + 3 * value.len() + 2)
            .sum();
        let mut form = Zeroizing::new(Vec::with_capacity(room));
        for (name, value) in members {
            if !form.is_empty() {
                form.push(b'&');
            }
            form.extend_from_slice(name.as_bytes());
            form.push(b'=');
            value.bytes().for_each(|byte| push(&mut form, byte));
        }
        Self(form)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// As the core writes the form of a token request.
fn push(form: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
        form.push(byte);
    } else {
        let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
        form.push(b'%');
        form.extend_from_slice(&digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        let form = Form::of(&[("a", "x y"), ("b", "urn:1&c=2"), ("d", "\u{e9}~")]);
        assert_eq!(form.as_bytes(), b"a=x%20y&b=urn%3A1%26c%3D2&d=%C3%A9%7E");
    }
}
