//! "Did you mean …?"

/// The name that `written` is most likely a slip of the pen for.
pub(crate) fn nearest<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    // Long names would cost time, and are no slips.
    if written.len() > 40 {
        return None;
    }
    let written = written.to_lowercase().replace('_', "-");
    let slips = |name: &str| if name.len() < 5 { 1 } else { 2 };
    let near = names.iter().map(|name| (distance(&written, name), *name));
    let closest =
        near.filter(|(distance, name)| *distance <= slips(name)).min_by_key(|(distance, _)| *distance);
    let longer = || names.iter().copied().find(|name| written.len() >= 4 && name.starts_with(&written));
    closest.map(|(_, name)| name).or_else(longer)
}

/// Letters to add, drop, change or swap with their neighbour (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=to.len()).collect();
    for i in 1..=from.len() {
        for j in 1..=to.len() {
            let change = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_recognised_and_other_words_are_not() {
        let names = ["require", "tries", "lock-after", "password-file", "url"];
        for (written, meant) in [
            ("requrie", Some("require")),
            ("required", Some("require")),
            ("Tries", Some("tries")),
            ("lock_after", Some("lock-after")),
            ("password", Some("password-file")),
            ("uri", Some("url")),
            ("key", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, &names), meant, "{written}");
        }
    }
}
