//! Compression, with a base as what may be referred back to (zstd's "patch from").

use outboard_core::ByteCount;
use zstd::zstd_safe::{CCtx, CParameter, DCtx, compress_bound};

use super::DeltaError;

/// Higher levels take three times as long and more for a few percent.
const LEVEL: i32 = 1;
/// A window of 128 MiB: a base and a state, each as large as a frame may be by default.
const WIDEST: u32 = 27;

/// `new`, compressed; `None` if that is no shorter.
pub(super) fn pack(base: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let mut context = CCtx::try_create()?;
    context.set_parameter(CParameter::CompressionLevel(LEVEL)).ok()?;
    if !base.is_empty() {
        // Long-distance matching finds moved parts anywhere in the base; the window has to reach back that far.
        let window = (base.len() + new.len()).next_power_of_two().ilog2().clamp(10, WIDEST);
        context.set_parameter(CParameter::WindowLog(window)).ok()?;
        context.set_parameter(CParameter::EnableLongDistanceMatching(true)).ok()?;
        context.ref_prefix(base).ok()?;
    }
    let mut out = Vec::with_capacity(compress_bound(new.len()));
    context.compress2(&mut out, new).ok()?;
    // What is kept as a frame is waiting must not hold the space for the worst case.
    out.shrink_to_fit();
    (out.len() < new.len()).then_some(out)
}

/// The `length` bytes that were compressed, unless they are more than `most`.
pub(super) fn unpack(base: &[u8], packed: &[u8], length: usize, most: usize) -> Result<Vec<u8>, DeltaError> {
    if length > most {
        return Err(DeltaError::TooLarge(ByteCount::from_bytes(length as u64)));
    }
    let mut context = DCtx::try_create().ok_or(DeltaError::Packed)?;
    if !base.is_empty() {
        context.ref_prefix(base).map_err(|_| DeltaError::Packed)?;
    }
    // Reserved, not touched: a frame that does not hold what it claims never fills it.
    let mut out = Vec::with_capacity(length);
    match context.decompress(&mut out, packed) {
        Ok(_) if out.len() == length => Ok(out),
        _ => Err(DeltaError::Packed),
    }
}
