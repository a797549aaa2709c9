//! Figures over something that grows: lines in a plot with two logarithmic axes.

use std::fmt::Write as _;

use crate::table::{COLOURS, escaped};

/// A line for each of several contenders.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// The experiment's name, and what distinguishes this chart.
    pub(crate) name: String,
    pub(crate) about: String,
    /// What is along the axes.
    pub(crate) across: &'static str,
    pub(crate) up: &'static str,
    pub(crate) lines: Vec<Line>,
}

/// Points in order; all above zero.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

const LEFT: f64 = 70.0;
const TOP: f64 = 50.0;
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 360.0;

impl Chart {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}: {}, by {}\n", self.name, self.up, self.across);
        for line in &self.lines {
            let _ = write!(text, "{:<12}", line.name);
            for (across, up) in &line.points {
                let _ = write!(text, "  {across}: {}", short(*up));
            }
            text.push('\n');
        }
        text
    }

    /// For other programs.
    pub(crate) fn csv(&self) -> String {
        let mut csv = format!("name,{},{}\n", self.across, self.up);
        for line in &self.lines {
            for (across, up) in &line.points {
                let _ = writeln!(csv, "{},{across},{up}", line.name);
            }
        }
        csv
    }

    pub(crate) fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let across = Axis::of(points().map(|(across, _)| *across));
        let up = Axis::of(points().map(|(_, up)| *up));
        let x = |figure: f64| LEFT + across.share(figure) * WIDTH;
        let y = |figure: f64| TOP + (1.0 - up.share(figure)) * HEIGHT;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" \
             font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
            LEFT + WIDTH + 110.0,
            TOP + HEIGHT + 50.0
        );
        let (bottom, right) = (TOP + HEIGHT, LEFT + WIDTH);
        let _ = writeln!(svg, "<text x=\"10\" y=\"18\" font-size=\"13\">{}</text>", escaped(&self.about));
        let _ = writeln!(svg, "<text x=\"10\" y=\"{}\">{}</text>", TOP - 12.0, escaped(self.up));
        let _ = writeln!(
            svg,
            "<text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            bottom + 36.0,
            escaped(self.across)
        );
        for decade in across.decades() {
            let (x, label) = (x(decade), short(decade));
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\" stroke=\"#dddddd\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
                bottom + 16.0
            );
        }
        for decade in up.decades() {
            let (y, label) = (y(decade), short(decade));
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                LEFT - 6.0,
                y + 4.0
            );
        }
        for (number, (line, colour)) in self.lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
            let drawn: Vec<String> =
                line.points.iter().map(|(across, up)| format!("{:.1},{:.1}", x(*across), y(*up))).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
                 <text x=\"{}\" y=\"{}\" fill=\"{colour}\">{}</text>",
                drawn.join(" "),
                right + 10.0,
                TOP + 16.0 * (number + 1) as f64,
                escaped(&line.name)
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// Whole decades, as exponents.
struct Axis {
    first: i32,
    last: i32,
}

impl Axis {
    fn of(figures: impl Iterator<Item = f64>) -> Self {
        let (low, high) =
            figures.fold((f64::INFINITY, 0.0_f64), |(low, high), it| (low.min(it), high.max(it)));
        if high <= 0.0 {
            return Self { first: 0, last: 1 };
        }
        let first = low.log10().floor() as i32;
        Self { first, last: (high.log10().ceil() as i32).max(first + 1) }
    }

    fn share(&self, figure: f64) -> f64 {
        (figure.log10() - f64::from(self.first)) / f64::from(self.last - self.first)
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.first..=self.last).map(|power| 10.0_f64.powi(power))
    }
}

/// Without digits that say nothing.
fn short(figure: f64) -> String {
    match figure {
        _ if figure >= 100.0 => format!("{figure:.0}"),
        _ => {
            let text = format!("{figure:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Chart {
        let line = |name: &str, points: &[(f64, f64)]| Line { name: name.into(), points: points.to_vec() };
        Chart {
            name: "solver.sizes".into(),
            about: "time < size".into(),
            across: "methods",
            up: "ms",
            lines: vec![line("ours", &[(10.0, 0.01), (1_000.0, 1.0)]), line("theirs", &[(10.0, 1.0)])],
        }
    }

    #[test]
    fn lines_lie_between_whole_decades() {
        let svg = chart().svg();
        assert!(svg.contains("points=\"70.0,410.0 630.0,50.0\""), "{svg}");
        assert!(svg.contains("time &lt; size") && svg.contains(">theirs</text>"), "{svg}");
        // 10, 100, 1000 across; 0.01, 0.1, 1 up.
        assert_eq!(svg.matches("#dddddd").count(), 6, "{svg}");
    }

    #[test]
    fn every_point_is_a_line_of_the_file() {
        assert_eq!(chart().csv(), "name,methods,ms\nours,10,0.01\nours,1000,1\ntheirs,10,1\n");
        assert!(chart().text().contains("ours          10: 0.01  1000: 1"), "{}", chart().text());
    }

    #[test]
    fn a_chart_without_points_is_empty_but_one() {
        let svg = Chart { lines: vec![], ..chart() }.svg();
        assert!(!svg.contains("NaN") && svg.ends_with("</svg>\n"), "{svg}");
    }
}
