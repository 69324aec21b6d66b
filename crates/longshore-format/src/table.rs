//! Tables as Docker prints them: columns of at least ten characters, three blanks apart.
//!
//! The rules are those of Go's `text/tabwriter`: a cell ends with a tab, a column is a run of lines that have a cell at
//! the same place, and what follows the last tab of a line is in no column.

use crate::human::width;

/// The least width of a column.
const MIN_WIDTH: usize = 10;
/// The blanks after the widest cell.
const PADDING: usize = 3;

/// A table with a row of titles.
#[derive(Debug, Clone, Default)]
pub struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    /// A table with these titles and no rows.
    pub fn new<I: IntoIterator<Item: Into<String>>>(titles: I) -> Self {
        let mut table = Self::default();
        table.row(titles);
        table
    }

    /// Adds a row. Tabs and line feeds within a cell become blanks, because they would make cells of their own.
    pub fn row<I: IntoIterator<Item: Into<String>>>(&mut self, cells: I) -> &mut Self {
        let cell = |cell: I::Item| cell.into().replace(['\t', '\n', '\r', '\u{b}', '\u{c}'], " ");
        self.lines.push(cells.into_iter().map(cell).collect());
        self
    }

    /// The aligned text, each line with its line feed.
    pub fn render(&self) -> String {
        let mut out = String::new();
        write_aligned(&mut out, &self.lines);
        out
    }
}

/// Aligns the cells of lines, which tabs end.
pub(crate) fn align(text: &str) -> String {
    let mut lines: Vec<Vec<String>> =
        text.split('\n').map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    if text.ends_with('\n') {
        lines.pop();
    }
    let mut out = String::new();
    write_aligned(&mut out, &lines);
    if !text.ends_with('\n') {
        out.pop();
    }
    out
}

/// Writes lines of cells.
fn write_aligned(out: &mut String, lines: &[Vec<String>]) {
    let widths = widths(lines);
    for (line, widths) in lines.iter().zip(widths) {
        for (cell, column) in line.iter().zip(widths.into_iter().map(Some).chain(std::iter::once(None))) {
            out.push_str(cell);
            let blanks = column.map_or(0, |column| column.saturating_sub(width(cell)));
            out.extend(std::iter::repeat_n(' ', blanks));
        }
        out.push('\n');
    }
}

/// For each line the widths of its cells but the last: those of the columns that they are in.
fn widths(lines: &[Vec<String>]) -> Vec<Vec<usize>> {
    let mut widths: Vec<Vec<usize>> =
        lines.iter().map(|line| line.iter().rev().skip(1).rev().map(|cell| width(cell)).collect()).collect();
    let columns = widths.iter().map(Vec::len).max().unwrap_or_default();
    for column in 0..columns {
        let mut block: Vec<&mut usize> = Vec::new();
        for line in &mut widths {
            match line.get_mut(column) {
                Some(cell) => block.push(cell),
                None => settle(&mut block),
            }
        }
        settle(&mut block);
    }
    widths
}

/// Gives all cells of a column its width.
fn settle(block: &mut Vec<&mut usize>) {
    let widest = block.iter().map(|cell| **cell + PADDING).max().unwrap_or_default().max(MIN_WIDTH);
    for cell in block.drain(..) {
        *cell = widest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_aligned_as_by_tabwriter() {
        let cases = [
            ("A\tB\tC\naaaaaaaaaaaaa\tb\tc\n", "A               B         C\naaaaaaaaaaaaa   b         c\n"),
            ("A\tB\n\tb\n", "A         B\n          b\n"),
            ("x\n", "x\n"),
            ("", ""),
            ("a\tb\t\nq\tr\t\n", "a         b         \nq         r         \n"),
            ("é\tb\nabcdefghijkl\tc\n", "é              b\nabcdefghijkl   c\n"),
            ("世界世界世界\tb\nabcdefghijkl\tc\n", "世界世界世界   b\nabcdefghijkl   c\n"),
            ("aaaaaaaaaaaaaaa\tb\nno tabs\nc\td\n", "aaaaaaaaaaaaaaa   b\nno tabs\nc         d\n"),
            (
                "a\tb\tc\nlonglonglonglong\tx\nlonglonglonglonglong\ty\tz\n",
                "a                      b         c\nlonglonglonglong       x\nlonglonglonglonglong   y         z\n",
            ),
            ("a\t\tc\nb\t\td\n", "a                   c\nb                   d\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(align(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_cell_cannot_break_its_row() {
        let text = Table::new(["NAME", "VALUE"]).row(["a\tb", "c\nd"]).render();
        assert_eq!(text, "NAME      VALUE\na b       c d\n");
    }
}
