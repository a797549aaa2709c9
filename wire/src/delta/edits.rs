//! Edits of a base, found by comparing it with the new bytes in lockstep.
//!
//! Two encodings of a state are aligned at their fronts and, where something grew or shrank, aligned at their backs after
//! it. So the one place of insertion or removal that is paid with the fewest bytes is chosen, and what differs before and
//! after it is told run by run. State with several insertions is left to compression, which finds moved parts anywhere.

use super::DeltaError;

/// What is compared at once; differing runs end at equal bytes within.
const GRAIN: usize = 32;
/// What is compared first: most of a state is equal.
const BLOCK: usize = 4096;
/// Bytes of an edit besides its own.
const HEADER: usize = 12;

/// Bytes that differ, from here to there.
type Run = std::ops::Range<usize>;

/// The edits that make `new` of `base`; `None` if they take no fewer bytes than `new`.
pub(super) fn between(base: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    u32::try_from(base.len().max(new.len())).ok()?;
    let common = base.len().min(new.len());
    let (removed, added) = (base.len() - common, new.len() - common);
    let mut out = Edits { bytes: Vec::new(), base, new, kept_to: 0, most: new.len() };
    let front = runs(&base[..common], &new[..common]);
    if removed == added {
        for run in front {
            out.edit(run.clone(), run)?;
        }
        return Some(out.bytes);
    }
    let back = runs(&base[removed..], &new[added..]);
    let place = cheapest(&front, &back, common);
    for run in front.into_iter().take_while(|run| run.start < place) {
        out.edit(run.clone(), run)?;
    }
    out.edit(place..place + removed, place..place + added)?;
    for run in back.into_iter().filter(|run| run.end > place) {
        let start = run.start.max(place);
        out.edit(start + removed..run.end + removed, start + added..run.end + added)?;
    }
    Some(out.bytes)
}

/// The bytes that the edits make of `base`, unless they are more than `most`.
pub(super) fn apply(base: &[u8], edits: &[u8], most: usize) -> Result<Vec<u8>, DeltaError> {
    // The length first: nothing is allocated for edits that do not fit.
    let mut length = base.len();
    walk(base, edits, |_, removed, added| length = length - removed.len() + added.len())?;
    if length > most {
        return Err(DeltaError::TooLarge(outboard_core::ByteCount::from_bytes(length as u64)));
    }
    let mut out = Vec::with_capacity(length);
    let rest = walk(base, edits, |kept, _, added| {
        out.extend_from_slice(kept);
        out.extend_from_slice(added);
    })?;
    out.extend_from_slice(rest);
    Ok(out)
}

/// Goes through the edits: what is kept before each, what it leaves out, what it puts there. Gives the rest of the base.
fn walk<'a>(
    mut base: &'a [u8],
    mut edits: &'a [u8],
    mut edit: impl FnMut(&'a [u8], &'a [u8], &'a [u8]),
) -> Result<&'a [u8], DeltaError> {
    while !edits.is_empty() {
        let ([kept, removed, added], rest) = header(edits).ok_or(DeltaError::Edits)?;
        let (kept, after) = base.split_at_checked(kept).ok_or(DeltaError::Edits)?;
        let (removed, after) = after.split_at_checked(removed).ok_or(DeltaError::Edits)?;
        let (added, rest) = rest.split_at_checked(added).ok_or(DeltaError::Edits)?;
        edit(kept, removed, added);
        (base, edits) = (after, rest);
    }
    Ok(base)
}

fn header(edits: &[u8]) -> Option<([usize; 3], &[u8])> {
    let (header, rest) = edits.split_first_chunk::<HEADER>()?;
    let number = |at: usize| {
        let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    Some(([number(0)?, number(4)?, number(8)?], rest))
}

/// Edits as they are written.
struct Edits<'a> {
    bytes: Vec<u8>,
    base: &'a [u8],
    new: &'a [u8],
    /// How far the base has been told.
    kept_to: usize,
    most: usize,
}

impl Edits<'_> {
    /// Replaces a run of the base by a run of the new bytes. `None` if it does not pay any more.
    fn edit(&mut self, mut removed: Run, mut added: Run) -> Option<()> {
        while !removed.is_empty() && !added.is_empty() && self.base[removed.start] == self.new[added.start] {
            removed.start += 1;
            added.start += 1;
        }
        while !removed.is_empty()
            && !added.is_empty()
            && self.base[removed.end - 1] == self.new[added.end - 1]
        {
            removed.end -= 1;
            added.end -= 1;
        }
        if self.bytes.len() + HEADER + added.len() >= self.most {
            return None;
        }
        for number in [removed.start - self.kept_to, removed.len(), added.len()] {
            self.bytes.extend_from_slice(&u32::try_from(number).ok()?.to_le_bytes());
        }
        self.bytes.extend_from_slice(&self.new[added]);
        self.kept_to = removed.end;
        Some(())
    }
}

/// Where two equally long pieces differ, grain by grain; neighbouring grains are one run.
fn runs(one: &[u8], other: &[u8]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut differs = |from: usize, to: usize| match runs.last_mut() {
        Some(last) if last.end == from => last.end = to,
        _ => runs.push(from..to),
    };
    let blocks = one.chunks(BLOCK).zip(other.chunks(BLOCK)).enumerate();
    for (block, (one, other)) in blocks.filter(|(_, (one, other))| one != other) {
        let (one_grains, one_rest) = one.as_chunks::<GRAIN>();
        let (other_grains, other_rest) = other.as_chunks::<GRAIN>();
        let start = block * BLOCK;
        for (grain, (one, other)) in one_grains.iter().zip(other_grains).enumerate() {
            if one != other {
                differs(start + grain * GRAIN, start + (grain + 1) * GRAIN);
            }
        }
        if one_rest != other_rest {
            differs(start + one_grains.len() * GRAIN, start + one.len());
        }
    }
    runs
}

/// Where to put the change of length: runs of the front alignment count before it, runs of the back alignment after it.
/// It is cheapest at the start of a front run, or at the end.
fn cheapest(front: &[Run], back: &[Run], end: usize) -> usize {
    let mut before = 0;
    let mut after: usize = back.iter().map(|run| run.len() + HEADER).sum();
    let mut best = (usize::MAX, end);
    let mut back = back.iter().peekable();
    let starts = front.iter().map(|run| (run.start, run.len() + HEADER));
    for (place, length) in starts.chain([(end, 0)]) {
        while let Some(run) = back.next_if(|run| run.end <= place) {
            after -= run.len() + HEADER;
        }
        let within = back.peek().map_or(0, |run| place.saturating_sub(run.start));
        let cost = before + after - within;
        best = best.min((cost, place));
        before += length;
    }
    best.1
}
