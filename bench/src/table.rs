//! Figures in two dimensions: a table in the terminal, and a file and a plot of it.

use std::fmt::Write as _;

/// A figure for each row and column; a row is a group of bars in the plot.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The experiment's name.
    pub(crate) name: String,
    /// What the figures are.
    pub(crate) about: String,
    pub(crate) columns: Vec<String>,
    /// What was not measured is `None`.
    pub(crate) rows: Vec<(String, Vec<Option<f64>>)>,
    /// Drawn across the plot.
    pub(crate) target: Option<f64>,
    /// Longer bars are cut off there.
    pub(crate) most: f64,
}

/// One for each column, from a palette that people tell apart however they see colours (Okabe and Ito, 2008).
pub(crate) const COLOURS: [&str; 7] =
    ["#0072b2", "#56b4e9", "#009e73", "#999999", "#d55e00", "#e69f00", "#cc79a7"];
const LEFT: f64 = 170.0;
const WIDTH: f64 = 640.0;
const TOP: f64 = 60.0;
const BAR: f64 = 9.0;
const BETWEEN: f64 = 12.0;

impl Table {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let first = self.rows.iter().map(|(row, _)| row.chars().count()).max().unwrap_or(0);
        let mut text = format!("{:<first$}", "");
        for column in &self.columns {
            let _ = write!(text, "  {column:>9}");
        }
        text.push('\n');
        for (row, figures) in &self.rows {
            let _ = write!(text, "{row:<first$}");
            for (column, figure) in self.columns.iter().zip(figures) {
                let width = column.chars().count().max(9);
                let figure = figure.map_or("–".to_owned(), |figure| format!("{figure:.2}"));
                let _ = write!(text, "  {figure:>width$}");
            }
            text.push('\n');
        }
        text
    }

    /// For other programs.
    pub(crate) fn csv(&self) -> String {
        let mut csv = format!("name,{}\n", self.columns.join(","));
        for (row, figures) in &self.rows {
            let figures: Vec<String> =
                figures.iter().map(|figure| figure.map_or(String::new(), |it| it.to_string())).collect();
            let _ = writeln!(csv, "{row},{}", figures.join(","));
        }
        csv
    }

    /// A plot: lying bars, grouped by row.
    pub(crate) fn svg(&self) -> String {
        let group = BAR * self.columns.len() as f64 + BETWEEN;
        let height = TOP + group * self.rows.len() as f64 + 30.0;
        let across = |figure: f64| LEFT + (figure / self.most).clamp(0.0, 1.0) * WIDTH;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" font-family=\"sans-serif\" \
             font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
            LEFT + WIDTH + 60.0
        );
        let _ = writeln!(svg, "<text x=\"10\" y=\"18\" font-size=\"13\">{}</text>", escaped(&self.about));
        for (place, (column, colour)) in self.columns.iter().zip(COLOURS.iter().cycle()).enumerate() {
            let x = 10.0 + 120.0 * place as f64;
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"30\" width=\"10\" height=\"10\" fill=\"{colour}\"/>\
                 <text x=\"{}\" y=\"39\">{}</text>",
                x + 14.0,
                escaped(column)
            );
        }
        for (place, (row, figures)) in self.rows.iter().enumerate() {
            let top = TOP + group * place as f64;
            let middle = top + (group - BETWEEN) / 2.0 + 4.0;
            let label = LEFT - 8.0;
            let _ = writeln!(
                svg,
                "<text x=\"{label}\" y=\"{middle}\" text-anchor=\"end\">{}</text>",
                escaped(row)
            );
            for (bar, (figure, colour)) in figures.iter().zip(COLOURS.iter().cycle()).enumerate() {
                let Some(figure) = figure else { continue };
                let (y, end) = (top + BAR * bar as f64, across(*figure));
                let _ = writeln!(
                    svg,
                    "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{:.1}\" height=\"{}\" fill=\"{colour}\"/>\
                     <text x=\"{:.1}\" y=\"{}\" font-size=\"8\">{figure:.2}</text>",
                    end - LEFT,
                    BAR - 1.0,
                    end + 3.0,
                    y + BAR - 2.0
                );
            }
        }
        if let Some(target) = self.target {
            let x = across(target);
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{}\" stroke=\"black\" stroke-dasharray=\"3\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">target {target}</text>",
                TOP - 6.0,
                height - 24.0,
                height - 10.0
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            name: "regret".into(),
            about: "time <over> an oracle's".into(),
            columns: vec!["ours".into(), "theirs".into()],
            rows: vec![("lte".into(), vec![Some(1.0), Some(4.0)]), ("wifi".into(), vec![None, Some(2.0)])],
            target: Some(1.5),
            most: 2.0,
        }
    }

    #[test]
    fn what_was_not_measured_is_no_number() {
        assert_eq!(table().csv(), "name,ours,theirs\nlte,1,4\nwifi,,2\n");
        let text = table().text();
        let last: Vec<&str> = text.lines().last().unwrap_or_default().split_whitespace().collect();
        assert_eq!(last, ["wifi", "–", "2.00"]);
    }

    #[test]
    fn bars_are_as_long_as_their_figures_and_cut_off_at_the_most() {
        let svg = table().svg();
        assert_eq!(svg.matches("height=\"8\"").count(), 3, "{svg}");
        assert!(svg.contains("width=\"320.0\" height=\"8\""), "half of the most: {svg}");
        assert_eq!(svg.matches("width=\"640.0\" height=\"8\"").count(), 2, "{svg}");
        assert!(svg.contains("time &lt;over&gt; an oracle's"), "{svg}");
    }
}
