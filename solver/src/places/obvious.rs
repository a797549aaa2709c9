//! Methods that are best off in one place wherever the others are.
//!
//! Moving a method from place `a` to place `b` changes an edge by at most `max_c (apart(b,c) − apart(a,c))`, over all places `c`
//! of its other end. Where all that together is no more than `own(a) − own(b)`, for every `a`, the method may as well be at
//! `b` (dead-end elimination; Goldstein 1994, "Efficient rotamer elimination applied to protein side-chains").

use super::program::Program;

/// Per number the place that is obvious, given those that are obvious before it. With several measures it is so by all of
/// them.
pub(super) fn obvious(measures: &[&Program]) -> Vec<Option<u16>> {
    let program = measures[0];
    let mut at = vec![Vec::new(); program.len()];
    for (edge, (one, other)) in program.edges.iter().enumerate() {
        at[*one as usize].push((edge, *other as usize));
        at[*other as usize].push((edge, *one as usize));
    }
    let mut decided: Vec<Option<u16>> = vec![None; program.len()];
    let mut pending: Vec<usize> = (0..program.len()).rev().collect();
    while let Some(number) = pending.pop() {
        if decided[number].is_some() {
            continue;
        }
        let at = &at[number];
        let beats = |to: usize, from: usize| {
            measures.iter().all(|program| {
                let own = program.own(number);
                let more = at.iter().map(|(edge, other)| {
                    let more =
                        |there: usize| program.apart(*edge, to, there) - program.apart(*edge, from, there);
                    match decided[*other] {
                        Some(there) => more(usize::from(there)),
                        None => (0..program.places).map(more).max().expect("there are places"),
                    }
                });
                own[to] + more.sum::<i64>() <= own[from]
            })
        };
        let places = 0..program.places;
        let place = places.clone().find(|to| places.clone().all(|from| from == *to || beats(*to, from)));
        if let Some(place) = place {
            decided[number] = Some(place as u16);
            pending.extend(at.iter().map(|(_, other)| *other));
        }
    }
    decided
}
