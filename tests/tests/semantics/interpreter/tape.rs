//! Choices, drawn from a seed, that can be replayed and made simpler.
//!
//! A program and the faults of its run are both made of choices. Zero is always the simplest choice, and a tape that
//! has run out gives zeros: so cutting a tape, taking parts out of it and zeroing it make a failing case simpler,
//! whatever it is about.

/// Most choices of a case; further ones are zero, which lets every run come to its end.
const LONGEST: usize = 6000;

/// A source of choices.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    recorded: Vec<u32>,
    next: usize,
    /// Where choices come from beyond the recorded ones; `None` on a replay.
    random: Option<u64>,
}

impl Tape {
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self { recorded: Vec::new(), next: 0, random: Some(seed) }
    }

    pub(crate) fn replay(recorded: Vec<u32>) -> Self {
        Self { recorded, next: 0, random: None }
    }

    /// The choices that were used.
    pub(crate) fn into_recorded(mut self) -> Vec<u32> {
        self.recorded.truncate(self.next);
        self.recorded
    }

    /// With every choice that it can give: what a run used that did not come to its end is not known.
    pub(crate) fn drawn_to_its_end(mut self) -> Self {
        while self.random.is_some() && self.next < LONGEST {
            self.draw();
        }
        self.next = self.recorded.len();
        self
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.draw() as usize % bound.max(1)
    }

    /// True once in `times`, on average.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1 && times > 1
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn draw(&mut self) -> u32 {
        if self.next == self.recorded.len() {
            match &mut self.random {
                Some(state) if self.next < LONGEST => self.recorded.push(split_mix(state)),
                _ => return 0,
            }
        }
        self.next += 1;
        self.recorded[self.next - 1]
    }
}

/// Makes a failing tape simpler while it fails, within so many trials.
pub(crate) fn simplify(mut tape: Vec<u32>, mut trials: usize, fails: impl Fn(Vec<u32>) -> bool) -> Vec<u32> {
    let mut try_one = |candidate: Vec<u32>, tape: &mut Vec<u32>| {
        if trials == 0 || candidate == *tape {
            return false;
        }
        trials -= 1;
        let better = fails(candidate.clone());
        if better {
            *tape = candidate;
        }
        better
    };
    loop {
        let before = tape.clone();
        let mut size = tape.len().div_ceil(2);
        while size > 0 {
            let mut start = 0;
            while start < tape.len() {
                let end = (start + size).min(tape.len());
                let without = [&tape[..start], &tape[end..]].concat();
                let mut zeroed = tape.clone();
                zeroed[start..end].fill(0);
                if !try_one(without, &mut tape) {
                    try_one(zeroed, &mut tape);
                    start += size;
                }
            }
            size /= 2;
        }
        if tape == before {
            return tape;
        }
    }
}

fn split_mix(state: &mut u64) -> u32 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 16) as u32
}

#[test]
fn a_tape_is_made_simpler_until_nothing_can_go() {
    let fails = |tape: Vec<u32>| {
        let mut tape = Tape::replay(tape);
        let drawn: Vec<usize> = (0..50).map(|_| tape.below(100)).collect();
        drawn.iter().filter(|&&draw| draw > 50).count() >= 3
    };
    let mut long = Tape::of_seed(1);
    (0..50).for_each(|_| _ = long.below(100));
    let simple = simplify(long.into_recorded(), 10_000, fails);
    assert!(fails(simple.clone()));
    assert_eq!(simple.len(), 3, "{simple:?}");
}
