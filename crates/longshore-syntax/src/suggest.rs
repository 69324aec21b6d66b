//! "Did you mean": the known word nearest to one that is not known.

/// The candidate closest to `word`, if one is close enough to be meant.
///
/// Distance is the optimal string alignment distance without regard to case; at most a third of the word's letters
/// (and never more than three) may differ. The first of equally near candidates wins.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(64).flat_map(char::to_lowercase).collect();
    let limit = (word.len() / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.chars().take(64).flat_map(char::to_lowercase).collect();
        if letters.len().abs_diff(word.len()) > limit {
            continue;
        }
        let distance = distance(&word, &letters);
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Insertions, deletions, substitutions and swaps of neighbours between `a` and `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut before: Vec<usize> = vec![0; width];
    let mut previous: Vec<usize> = (0..width).collect();
    for (row, x) in a.iter().enumerate() {
        let mut current = vec![row + 1; width];
        for (column, y) in b.iter().enumerate() {
            let substitution = previous[column] + usize::from(x != y);
            let mut least = substitution.min(previous[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *x == b[column - 1] && a[row - 1] == *y {
                least = least.min(before[column - 1] + 1);
            }
            current[column + 1] = least;
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_of_the_finger() {
        let keys = ["runs-on", "needs", "steps", "strategy", "timeout-minutes"];
        assert_eq!(nearest("run-on", keys), Some("runs-on"));
        assert_eq!(nearest("NEEDS", keys), Some("needs"));
        assert_eq!(nearest("setps", keys), Some("steps"));
        assert_eq!(nearest("timeout-minute", keys), Some("timeout-minutes"));
    }

    #[test]
    fn stays_silent_when_nothing_is_near() {
        assert_eq!(nearest("deploy", ["runs-on", "needs"]), None);
        assert_eq!(nearest("", ["a"]), Some("a"));
        assert_eq!(nearest("x", []), None);
    }
}
