//! "1 error", "2 errors": numbers with their noun.

/// The number with its noun in the right form; the plural adds an `s`.
///
/// ```
/// assert_eq!(longshore_report::count(1, "file"), "1 file");
/// assert_eq!(longshore_report::count(0, "file"), "0 files");
/// ```
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
