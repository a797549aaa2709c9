//! A plan in words.

use std::fmt;

use outboard_core::{Choice, Condition, Flip, LinkPrice, Outlook, Placement, Plan, Quality, Resource, Why};

/// Why a method is where it is, as half a sentence: "on the server: …".
pub fn reason(choice: &Choice) -> String {
    format!("on the {}: {}", choice.placement, told(choice, |resource| resource.to_string()))
}

/// A plan as a text for people: what it is worth, how sure that is, and for each method why it is where it is and, as far as
/// the plan's outlooks tell, what would have to change for it to be elsewhere.
pub fn explain(plan: &Plan) -> String {
    Explanation::new(plan).to_string()
}

/// A plan to be told in words: whole, by its [`Display`](fmt::Display), or in parts.
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'p> {
    plan: &'p Plan,
    link: Option<LinkPrice>,
}

impl<'p> Explanation<'p> {
    /// What a plan says of itself; the points at which methods change places are told as factors.
    pub fn new(plan: &'p Plan) -> Self {
        Self { plan, link: None }
    }

    /// The same for a problem that was priced for this link: bandwidths and round trips are told in their units as well.
    #[must_use]
    pub fn on(self, link: LinkPrice) -> Self {
        Self { link: Some(link), ..self }
    }

    /// What the plan is worth, and how sure that is.
    pub fn worth(&self) -> String {
        let plan = self.plan;
        let quality = match plan.quality() {
            Quality::Optimal => "no placement is better".to_owned(),
            Quality::GapLimit { bound } => format!("within the gap allowed, none is below {bound}"),
            Quality::TimeLimit { bound } => format!("the search ran out of time, none is below {bound}"),
            Quality::Unproven { bound } => format!("the search ended without a proof, none is below {bound}"),
        };
        format!("{} instead of {} all local ({quality})", plan.value(), plan.all_local_value())
    }

    /// Why a method is where it is, as [`reason`] tells it, with methods that have a limit by their names.
    pub fn reason(&self, choice: &Choice) -> String {
        format!("on the {}: {}", choice.placement, self.why(choice))
    }

    /// The same without the place: "taking it back would cost 35.0 J more".
    pub fn why(&self, choice: &Choice) -> String {
        told(choice, |resource| self.resource(resource))
    }

    /// What would have to change for a method to be in the other place, as a sentence; `None` where nobody looked, and
    /// where it may not be there at all.
    pub fn change(&self, choice: &Choice) -> Option<String> {
        if choice.why == Why::Pinned {
            return None;
        }
        // Where several placements are best, or the plan is not, an outlook may have begun from another one.
        let agrees = |outlook: &&Outlook| {
            let now = &outlook.at(1.0).placements;
            self.plan.position(choice.method).is_some_and(|at| now.get(at) == Some(&choice.placement))
        };
        let there = choice.placement.other();
        let flips = self.plan.flips(choice.method).filter(|flip| flip.to == there);
        let points: Vec<_> = flips.map(|flip| self.point(flip)).collect();
        if !points.is_empty() {
            return Some(format!("It would run on the {there} with {}.", listed(&points, "or")));
        }
        let outlooks = Condition::ALL.into_iter().filter_map(|condition| self.plan.outlook(condition));
        let outlooks: Vec<_> = outlooks.filter(agrees).collect();
        (!outlooks.is_empty()).then(|| format!("It stays there at every {}.", ranges(&outlooks)))
    }

    fn resource(&self, resource: Resource) -> String {
        match resource {
            Resource::Latency(method) => match self.plan.choice(method) {
                Some(limited) => format!("the time of {} and what it calls", limited.name),
                None => resource.to_string(),
            },
            other => other.to_string(),
        }
    }

    /// Where a method changes places: "a bandwidth below 2.00 Mbit/s (0.250 times what it is)".
    fn point(&self, flip: Flip) -> String {
        let side = if flip.factor > 1.0 { "above" } else { "below" };
        let factor = format!("{} times what it is", significant(flip.factor));
        let absolute = self.link.and_then(|link| match flip.condition {
            Condition::Bandwidth => Some(link.bandwidth.scaled(flip.factor).to_string()),
            Condition::RoundTrip => {
                let milliseconds = link.round_trip.as_secs_f64() * 1e3 * flip.factor;
                Some(format!("{} ms", significant(milliseconds)))
            }
            Condition::ServerSpeed | Condition::Work => None,
        });
        let what = match flip.condition {
            Condition::Work => "work".to_owned(),
            condition => format!("a {condition}"),
        };
        match absolute {
            Some(absolute) => format!("{what} {side} {absolute} ({factor})"),
            None => format!("{what} {side} {factor}"),
        }
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.worth())?;
        for choice in self.plan.choices() {
            write!(f, "{} runs {}.", choice.name, self.reason(choice))?;
            match self.change(choice) {
                Some(change) => writeln!(f, " {change}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

fn told(choice: &Choice, name: impl Fn(Resource) -> String) -> String {
    let there = choice.placement.other();
    match choice.why {
        Why::Pinned => "it may run nowhere else".to_owned(),
        Why::Saves(value) if there == Placement::Device => format!("taking it back would cost {value} more"),
        Why::Saves(value) => format!("on the server it would cost {value} more"),
        Why::Even => format!("on the {there} it would cost the same"),
        Why::Exceeds { resource, by } => {
            format!("on the {there} {} would pass its limit by {by}", name(resource))
        }
        Why::WouldSave(value) => format!("on the {there} it would cost {value} less, the search ended early"),
    }
}

/// "bandwidth and round trip from 0.0300 to 30.0 times what it is".
fn ranges(outlooks: &[&Outlook]) -> String {
    let range = |outlook: &Outlook| {
        let (from, until) = outlook.range();
        format!("from {} to {} times what it is", significant(from), significant(until))
    };
    let parts = outlooks.chunk_by(|one, other| one.range() == other.range()).map(|alike| {
        let conditions: Vec<_> = alike.iter().map(|outlook| outlook.condition().to_string()).collect();
        format!("{} {}", listed(&conditions, "and"), range(alike[0]))
    });
    listed(&parts.collect::<Vec<_>>(), "and")
}

fn listed(parts: &[String], last: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// A figure of at least a thousandth to three significant digits, which is as exact as flip points are.
fn significant(value: f64) -> String {
    let digits = match value {
        value if value < 0.0995 => 4,
        value if value < 0.9995 => 3,
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use outboard_core::{
        Bandwidth, Constraints, Energy, LatencyBound, MethodIndex, Objective, Piece, Power, Problem, Vertex,
    };

    use super::*;
    use Placement::{Device, Server};

    /// A method that has to stay, and one that pays on the server.
    fn problem() -> Problem {
        let shown = Vertex { pin: Some(Device), ..Vertex::new(MethodIndex(0), "Album::show") };
        let find = Vertex {
            local_energy: Energy::from_millijoules(50),
            local_time: Duration::from_millis(10),
            remote_time: Duration::from_millis(20),
            ..Vertex::new(MethodIndex(1), "Album::find")
        };
        Problem::new(vec![shown, find], vec![], Objective::Energy).unwrap()
    }

    fn outlook(condition: Condition, pieces: &[(f64, Placement)]) -> Outlook {
        let piece = |(from, placement): &(f64, Placement)| Piece {
            from: *from,
            placements: vec![Device, *placement],
        };
        Outlook::new(condition, pieces.iter().map(piece).collect(), 30.0)
    }

    #[test]
    fn a_plan_tells_what_would_have_to_change() {
        let plan = Plan::new(&problem(), &[Device, Server], Quality::Optimal).unwrap();
        let plan = plan
            .with_outlook(outlook(Condition::Work, &[(0.03, Device), (0.2, Server)]))
            .with_outlook(outlook(Condition::Bandwidth, &[(0.03, Device), (0.25, Server)]))
            .with_outlook(outlook(Condition::RoundTrip, &[(0.03, Server), (4.0, Device)]));
        let change = |explanation: Explanation<'_>| explanation.change(&plan.choices()[1]).unwrap();
        assert_eq!(
            change(Explanation::new(&plan)),
            "It would run on the device with work below 0.200 times what it is, a bandwidth below 0.250 times what it is or a \
             round trip above 4.00 times what it is."
        );
        let link = LinkPrice {
            round_trip: Duration::from_millis(10),
            bandwidth: Bandwidth::from_megabits_per_second(8),
            waiting: Power::ZERO,
            transferring: Power::ZERO,
        };
        let told = change(Explanation::new(&plan).on(link));
        assert!(told.contains("a bandwidth below 2.00 Mbit/s (0.250 times what it is)"), "{told}");
        assert!(told.contains("a round trip above 40.0 ms (4.00 times what it is)"), "{told}");
        assert_eq!(Explanation::new(&plan).change(&plan.choices()[0]), None, "it is pinned");
    }

    #[test]
    fn what_nothing_moves_is_told_with_what_was_looked_at() {
        let plan = Plan::new(&problem(), &[Device, Server], Quality::Optimal).unwrap();
        assert_eq!(Explanation::new(&plan).change(&plan.choices()[1]), None, "nobody looked");
        let plan = plan
            .with_outlook(outlook(Condition::ServerSpeed, &[(0.03, Server)]))
            .with_outlook(outlook(Condition::Bandwidth, &[(0.1, Server)]));
        assert_eq!(
            explain(&plan),
            "0 µJ instead of 50.0 mJ all local (no placement is better)\n\
             Album::show runs on the device: it may run nowhere else.\n\
             Album::find runs on the server: taking it back would cost 50.0 mJ more. It stays there at every bandwidth from \
             0.100 to 30.0 times what it is and server speed from 0.0300 to 30.0 times what it is.\n"
        );
    }

    #[test]
    fn an_outlook_that_began_elsewhere_says_nothing_of_this_plan() {
        let plan = Plan::new(&problem(), &[Device, Device], Quality::Optimal).unwrap();
        let plan = plan.with_outlook(outlook(Condition::Bandwidth, &[(0.03, Device), (0.5, Server)]));
        assert_eq!(Explanation::new(&plan).change(&plan.choices()[1]), None);
    }

    #[test]
    fn a_latency_bound_is_told_by_the_name_of_its_method() {
        let problem = problem();
        let bound = LatencyBound { method: MethodIndex(1), most: Duration::from_millis(15) };
        let constraints = Constraints { latency: vec![bound], ..Default::default() };
        let vertices = problem.vertices().to_vec();
        let problem = Problem::constrained(vertices, vec![], Objective::Energy, constraints).unwrap();
        let plan = Plan::new(&problem, &[Device; 2], Quality::Optimal).unwrap();
        assert_eq!(
            Explanation::new(&plan).reason(&plan.choices()[1]),
            "on the device: on the server the time of Album::find and what it calls would pass its limit by 5ms"
        );
    }
}
