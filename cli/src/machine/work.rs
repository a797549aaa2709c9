//! What a thread does to be busy.

use std::hint::black_box;

use super::Kind;

/// A few microseconds of work: the length of a duty cycle is kept that well.
const OPERATIONS: usize = 4_096;
/// Eight mebibytes on each thread: more than it has of any cache near its core.
const WORDS: usize = 1 << 20;
/// One word of each cache line of 64 bytes, and no two lines in a row, so that nothing is fetched ahead.
const STRIDE: usize = 8 * 67;

/// The state that a load works on.
pub(super) enum Work {
    Integer([u64; 4]),
    Float([f64; 4]),
    Memory { words: Vec<u64>, place: usize },
}

impl Work {
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Integer => Self::Integer([1, 2, 3, 4]),
            Kind::Float => Self::Float([1.0, 1.1, 1.2, 1.3]),
            Kind::Memory => Self::Memory { words: vec![1; WORDS], place: 0 },
        }
    }

    /// Some work that the compiler cannot leave out, since its results stay.
    pub(super) fn step(&mut self) {
        match self {
            // Four chains, so that the units of a core are filled as those of ordinary code are.
            Self::Integer(chains) => {
                for round in 0..black_box(OPERATIONS as u64) {
                    for chain in chains.iter_mut() {
                        *chain =
                            (*chain ^ (*chain >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(round);
                    }
                }
                black_box(chains);
            }
            Self::Float(chains) => {
                for _ in 0..black_box(OPERATIONS) {
                    // Goes towards 2 from wherever it is, so it never leaves the fast range.
                    for chain in chains.iter_mut() {
                        *chain = *chain * 0.75 + 0.5;
                    }
                }
                black_box(chains);
            }
            Self::Memory { words, place } => {
                for _ in 0..black_box(OPERATIONS / 8) {
                    *place = (*place + STRIDE) % words.len();
                    words[*place] = words[*place].wrapping_add(1);
                }
                black_box(words);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_work_changes_what_it_works_on() {
        let mut work = Kind::ALL.map(Work::new);
        work.iter_mut().for_each(Work::step);
        let [Work::Integer(integers), Work::Float(floats), Work::Memory { words, place }] = work else {
            panic!("another order");
        };
        assert!(integers.iter().all(|chain| *chain > 4));
        assert!(floats.iter().all(|chain| (1.9..=2.0).contains(chain)));
        assert_eq!(words.iter().sum::<u64>(), (WORDS + OPERATIONS / 8) as u64);
        assert!(place > 0);
    }
}
