//! Writes PEM (RFC 7468): DER in base64, 64 characters a line, between two lines that name it.

use base64ct::{Base64, Encoding as _};

/// `der` as PEM under `label`, with a newline after each line but the last.
pub fn encode(label: &str, der: &[u8]) -> String {
    let base64 = Base64::encode_string(der);
    let mut lines = vec![format!("-----BEGIN {label}-----")];
    let mut rest = base64.as_str();
    while let Some((line, after)) = rest.split_at_checked(64) {
        lines.push(line.to_owned());
        rest = after;
    }
    if !rest.is_empty() {
        lines.push(rest.to_owned());
    }
    lines.push(format!("-----END {label}-----"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_64_characters() {
        for len in [0, 1, 47, 48, 49, 96, 100] {
            let pem = encode("X", &vec![0; len]);
            let lines: Vec<_> = pem.lines().collect();
            assert_eq!(
                (lines[0], lines[lines.len() - 1]),
                ("-----BEGIN X-----", "-----END X-----")
            );
            let body = &lines[1..lines.len() - 1];
            assert_eq!(Base64::decode_vec(&body.concat()).unwrap(), vec![0; len]);
            let full = body.len().saturating_sub(1);
            assert!(body.iter().take(full).all(|line| line.len() == 64), "{pem}");
            assert!(
                body.iter().all(|line| (1..=64).contains(&line.len())),
                "{pem}"
            );
        }
    }
}
