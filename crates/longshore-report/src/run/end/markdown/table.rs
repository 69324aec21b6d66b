//! Tables with columns as wide as they need, as far as the window allows.

use pulldown_cmark::Alignment;
use unicode_width::UnicodeWidthStr as _;

use crate::run::row::Row;
use crate::run::words::one_line;
use crate::{Role, Style};

/// Columns that are made narrower stay at least so wide.
const NARROWEST: usize = 4;
/// Between two columns.
const GAP: usize = 2;

/// The cells of a table; the first row is its head.
#[derive(Debug)]
pub(super) struct Table {
    alignments: Vec<Alignment>,
    rows: Vec<Vec<String>>,
    row: Vec<String>,
    cell: String,
}

impl Table {
    pub(super) fn new(alignments: Vec<Alignment>) -> Self {
        Self { alignments, rows: Vec::new(), row: Vec::new(), cell: String::new() }
    }

    pub(super) fn text(&mut self, text: &str) {
        self.cell.push_str(&one_line(text));
    }

    pub(super) fn end_cell(&mut self) {
        self.row.push(std::mem::take(&mut self.cell).trim().to_owned());
    }

    pub(super) fn end_row(&mut self) {
        self.rows.push(std::mem::take(&mut self.row));
    }

    /// The table in so many columns of the window.
    pub(super) fn lines(&self, room: usize, style: Style) -> Vec<String> {
        let widths = self.widths(room);
        let mut lines = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            let cells = widths.iter().enumerate().map(|(column, width)| {
                let text = row.get(column).map_or("", String::as_str);
                self.cell_line(column, text, *width, (at == 0).then_some(Role::Strong), style)
            });
            lines.push(cells.collect::<Vec<_>>().join(&" ".repeat(GAP)));
            if at == 0 {
                let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
                lines.push(style.paint(Role::Faint, &rules.join(&" ".repeat(GAP))));
            }
        }
        lines
    }

    fn cell_line(&self, column: usize, text: &str, width: usize, role: Option<Role>, style: Style) -> String {
        let row = match role {
            Some(role) => Row::default().role(role, text),
            None => Row::plain(text),
        };
        let free = width.saturating_sub(row.width());
        let left = match self.alignments.get(column) {
            Some(Alignment::Right) => free,
            Some(Alignment::Center) => free / 2,
            _ => 0,
        };
        format!("{}{}{}", " ".repeat(left), row.cut(width, style), " ".repeat(free - left))
    }

    /// The widest columns give way first.
    fn widths(&self, room: usize) -> Vec<usize> {
        let columns = self.alignments.len();
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|text: &String| text.width()).max()
        };
        let mut widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0).max(1)).collect();
        let free = room.saturating_sub(GAP * columns.saturating_sub(1));
        // Each round brings the widest down to the next one, so there are no more rounds than columns.
        for _ in 0..columns {
            let total: usize = widths.iter().sum();
            let widest = widths.iter().copied().max().unwrap_or(0);
            if total <= free || widest <= NARROWEST {
                break;
            }
            let next =
                widths.iter().copied().filter(|width| *width < widest).max().unwrap_or(0).max(NARROWEST);
            let sharing = widths.iter().filter(|width| **width == widest).count();
            let give = (total - free).div_ceil(sharing).min(widest - next);
            widths.iter_mut().filter(|width| **width == widest).for_each(|width| *width -= give);
        }
        widths
    }
}
