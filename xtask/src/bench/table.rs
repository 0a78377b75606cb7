//! Owns [`Table`]: rows with aligned columns, and how a number is written in one.

/// Text in columns: the first to the left, all others to the right.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new<T: Into<String>>(heading: impl IntoIterator<Item = T>) -> Table {
        Table {
            rows: vec![heading.into_iter().map(Into::into).collect()],
        }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// The table as text.
    pub(super) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
        };
        let widths: Vec<usize> = (0..columns)
            .map(|column| width(column).unwrap_or_default())
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = widths[column];
                line += &if column == 0 {
                    format!("{cell:<width$}")
                } else {
                    format!("  {cell:>width$}")
                };
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

/// A number with about three digits that matter, and thousands apart.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text
        .split_once('.')
        .map_or((text.as_str(), ""), |(whole, _)| {
            (whole, &text[whole.len()..])
        });
    let mut apart = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let left = whole.len() - place;
        if place > 0 && left % 3 == 0 && !apart.ends_with('-') {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_columns_stand_below_each_other() {
        let shown = [0.054, 3.66, 52.94, 99.97, 2_258.4, 1_000_000.0].map(number);
        assert_eq!(
            shown,
            ["0.05", "3.66", "52.9", "100.0", "2,258", "1,000,000"]
        );
        let mut table = Table::new(["case", "p50"]);
        table.row(vec!["one-step/64".into(), "3.66".into()]);
        assert_eq!(table.text(), "case          p50\none-step/64  3.66\n");
    }
}
