//! What is shown once: keys and codes, in the words that make people save them.

use protocol::Secret;

/// A key in groups of four, as apps show it.
pub fn grouped(key: &Secret) -> Secret {
    let mut grouped = String::with_capacity(key.expose().len() * 2);
    for (at, letter) in key.expose().chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            grouped.push(' ');
        }
        grouped.push(letter);
    }
    Secret::new(grouped)
}

/// Recovery codes, with what they are for.
pub fn recovery(codes: &[Secret]) -> String {
    let mut lines = vec![
        "Recovery codes. Each lets you in once when your other factors are lost.".to_owned(),
        "Save them now, away from this host: they are not shown again.".to_owned(),
        String::new(),
    ];
    lines.extend(codes.iter().map(|code| format!("    {}", code.expose())));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_grouped_by_four() {
        for (key, expected) in
            [("", ""), ("ABCD", "ABCD"), ("ABCDE", "ABCD E"), ("ABCDEFGHIJ", "ABCD EFGH IJ")]
        {
            assert_eq!(grouped(&Secret::new(key.to_owned())).expose(), expected);
        }
    }
}
