//! Owns [`Table`]: rows under headings, aligned by spaces.
//!
//! Invariants: one line for a row whatever the cells hold; no spaces at the end of a line.

use super::paint::{Paint, Tone, plain};

/// Between two columns.
const GAP: &str = "  ";

/// One field of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

/// Rows under headings.
#[derive(Clone, Debug)]
pub(crate) struct Table<const COLUMNS: usize> {
    headings: [&'static str; COLUMNS],
    rows: Vec<[Cell; COLUMNS]>,
}

impl Cell {
    /// The same in a tone.
    pub(crate) fn tone(mut self, tone: Tone) -> Cell {
        self.tone = tone;
        self
    }
}

impl From<&str> for Cell {
    /// Nothing at all is shown as a dash, so that columns can be told apart.
    fn from(text: &str) -> Cell {
        let text = if text.is_empty() {
            "-".to_owned()
        } else {
            plain(text)
        };
        Cell {
            text,
            tone: Tone::Plain,
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::from(text.as_str())
    }
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// A table without rows.
    pub(crate) fn new(headings: [&'static str; COLUMNS]) -> Self {
        Table {
            headings,
            rows: Vec::new(),
        }
    }

    /// The same with one more row.
    pub(crate) fn row(&mut self, cells: [Cell; COLUMNS]) {
        self.rows.push(cells);
    }

    /// The table as lines; with no rows the headings alone.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let headings = self
            .headings
            .map(|heading| Cell::from(heading).tone(Tone::Strong));
        let mut widths = [0; COLUMNS];
        for row in std::iter::once(&headings).chain(&self.rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.chars().count());
            }
        }
        let mut text = String::new();
        for row in std::iter::once(&headings).chain(&self.rows) {
            for (column, cell) in row.iter().enumerate() {
                text.push_str(&paint.tone(&cell.text, cell.tone));
                if column + 1 < COLUMNS {
                    let missing = widths[column] - cell.text.chars().count();
                    text.extend(std::iter::repeat_n(' ', missing));
                    text.push_str(GAP);
                }
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_rows_stay_on_their_line() {
        let mut table = Table::new(["ID", "STATE", "KEY"]);
        table.row([
            "1".into(),
            Cell::from("completed").tone(Tone::Good),
            "".into(),
        ]);
        table.row(["12345".into(), "failed".into(), "büro\n2".into()]);
        insta::assert_snapshot!(table.render(Paint::Plain), @r"
        ID     STATE      KEY
        1      completed  -
        12345  failed     büro\n2
        ");
        assert!(
            table
                .render(Paint::Coloured)
                .contains("\u{1b}[32mcompleted\u{1b}[0m  -\n")
        );
    }
}
