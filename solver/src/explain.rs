//! A plan in words.

use std::fmt::Write;

use outboard_core::{Choice, Placement, Plan, Quality, Why};

/// Why a method is where it is, as half a sentence: "on the server: …".
pub fn reason(choice: &Choice) -> String {
    let here = choice.placement;
    let there = here.other();
    match choice.why {
        Why::Pinned => format!("on the {here}: it may run nowhere else"),
        Why::Saves(value) if here == Placement::Server => {
            format!("on the server: taking it back would cost {value} more")
        }
        Why::Saves(value) => format!("on the device: on the server it would cost {value} more"),
        Why::Even => format!("on the {here}: on the {there} it would cost the same"),
        Why::Exceeds { resource, by } => {
            format!("on the {here}: on the {there} {resource} would pass its limit by {by}")
        }
        Why::WouldSave(value) => {
            format!("on the {here}: on the {there} it would cost {value} less, the search ended early")
        }
    }
}

/// A plan as a text for people: what it is worth, how sure that is, and a line for each method.
pub fn explain(plan: &Plan) -> String {
    let quality = match plan.quality() {
        Quality::Optimal => "no placement is better".to_owned(),
        Quality::GapLimit { bound } => format!("within the gap allowed, none is below {bound}"),
        Quality::TimeLimit { bound } => format!("the search ran out of time, none is below {bound}"),
        Quality::Unproven { bound } => format!("the backend failed, none is below {bound}"),
    };
    let mut text = format!("{} instead of {} all local ({quality})\n", plan.value(), plan.all_local_value());
    for choice in plan.choices() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {}", choice.name, reason(choice));
    }
    text
}
