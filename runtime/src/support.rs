//! What the macros name: `outboard::__private`. Not for programs; it changes without notice.

mod codec;
mod entry;
mod outcome;
mod schema;
mod slots;

pub use linkme;
pub use outboard_client_proxy::Hedge;
pub use outboard_wire as wire;

pub use codec::{
    BySerde, ByState, Codec, Opaque, Slice, Stays, Text, Travels, Via, opaque, slice, text, tiers,
};
pub use entry::{
    AsyncAttempt, AsyncEntry, AsyncFrame, Attempt, Entry, Frame, Work, enter, enter_async,
    enter_async_with_work, enter_with_work, work,
};
pub use outcome::{ErrorCodec, ErrorVia, Fallible, Outcome, OutcomeCodec, Way, outcome};
pub use schema::MethodSchema;
pub(crate) use schema::schema_of;
pub use slots::{
    Allowance, Departing, ExclusiveCodec, ExclusiveOptionSlot, ExclusiveSliceSlot, ExclusiveSlot, LentSlot,
    Object, Outgoing, SharedOptionSlot, SharedSlot, Slot, Slots, exclusive, exclusive_codec,
    exclusive_opaque, exclusive_option, exclusive_slice, shared, shared_option, value,
};
pub(crate) use slots::{read_option, read_slice, write_option, write_slice};

pub use crate::identity::App;
pub use crate::method::{Descriptor, Kind, METHODS, Method, Passing, SlotInfo};
pub use crate::shim::{
    Exclusive, ExclusiveOption, ExclusiveSlice, GivesBack, Shared, SharedOption, ShimError, ShimFrame,
    Unchanging,
};
