//! The loop whose speed on two machines gives their speed ratio.

use std::hint::black_box;

/// Runs the reference loop `steps` times and returns its checksum.
///
/// A step mixes what methods are made of: integer multiplication, shifts and a data-dependent branch, floating-point
/// multiply-add, and loads and stores within 4 KiB. Whoever times it divides steps by seconds; the same number of
/// steps gives the same checksum everywhere, and the compiler can leave nothing out.
pub fn reference_steps(steps: u64) -> u64 {
    let mut table = [0u64; 512];
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut real = 1.0f64;
    for step in 0..black_box(steps) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let place = (state >> 55) as usize;
        let mixed = table[place].wrapping_add(state.wrapping_mul(step | 1));
        table[place] = mixed;
        // Kept in [1, 2) so that the figures never leave the fast range of the floating-point unit.
        real = real * 0.75 + ((mixed >> 12) as f64) * (1.0 / (1u64 << 52) as f64) * 0.25 + 0.25;
        if mixed & 1 == 0 {
            state = state.wrapping_add(real.to_bits() >> 32);
        }
    }
    black_box(state ^ real.to_bits() ^ table[(state & 511) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_counts_and_nothing_else() {
        assert_eq!(reference_steps(1_000), reference_steps(1_000));
        assert_ne!(reference_steps(1_000), reference_steps(1_001));
        assert_ne!(reference_steps(0), reference_steps(1));
    }
}
