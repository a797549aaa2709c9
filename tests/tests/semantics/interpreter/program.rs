//! Programs: methods over mutable objects that call each other.

use std::rc::Rc;

use outboard_core::ByteCount;
use outboard_wire::codec;
use outboard_wire::frame::Image;

use super::value::Type;

/// A program. Methods call only methods with higher numbers, so that every program ends.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) methods: Vec<Method>,
    /// The objects of `main`, by type.
    pub(crate) objects: Vec<Type>,
    pub(crate) main: Block,
}

pub(crate) type Block = Rc<[Statement]>;

#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) kind: Kind,
    /// Where it runs on the device, it can be dropped half-way.
    pub(crate) is_async: bool,
    pub(crate) slots: Vec<Slot>,
    pub(crate) body: Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Remoteable,
    /// Runs at most once, also across failures.
    Once,
    Device,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) of: Type,
    pub(crate) passing: Passing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    Exclusive,
    Shared,
    Value,
}

impl Method {
    /// Whether a call may be sent to a server: a method with skipped fields anywhere but in an exclusive slot stays.
    pub(crate) fn may_travel(&self) -> bool {
        self.kind != Kind::Device
            && self.slots.iter().all(|slot| slot.passing == Passing::Exclusive || !slot.of.skips())
    }
}

impl Program {
    /// Whether anything may run once only.
    pub(crate) fn has_once(&self) -> bool {
        self.methods.iter().any(|method| method.kind == Kind::Once)
    }
}

/// A place as a frame sees it: one of its slots or locals, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) slot: usize,
    pub(crate) path: Vec<u16>,
}

#[derive(Clone, Debug)]
pub(crate) enum Expression {
    Constant(i64),
    Variable(usize),
    Number(Place, usize),
    Length(Place),
    Last(Place),
    Held(Place),
    /// Depends on the order of its operands.
    Mix(Box<Expression>, Box<Expression>),
}

#[derive(Clone, Debug)]
pub(crate) enum Statement {
    Let {
        variable: usize,
        value: Expression,
    },
    Set {
        place: Place,
        field: usize,
        value: Expression,
    },
    Push {
        place: Place,
        value: Expression,
        /// At the front, where it moves all others.
        front: bool,
    },
    Pop {
        place: Place,
    },
    /// Changes the value that an object holds, for all that hold it.
    SetHeld {
        place: Place,
        value: Expression,
    },
    /// Holds what another object holds.
    Hold {
        place: Place,
        from: Place,
    },
    /// Holds a new value, which holds the one before.
    Grow {
        place: Place,
        value: Expression,
    },
    /// Adds a local object after the slots.
    New(Type),
    If {
        odd: Expression,
        then: Block,
        otherwise: Block,
    },
    Repeat {
        times: u8,
        body: Block,
    },
    Call(Call),
    Return(Expression),
    Fail(Expression),
    Panic(Expression),
    /// Reads the device's own mark of an object. In device methods and `main` only.
    ReadId {
        place: Place,
        variable: usize,
    },
    /// Leaves a mark on the device's own object. In device methods and `main` only.
    Mark {
        place: Place,
        value: Expression,
    },
    /// Shows something to the user. In device methods only.
    Show(Expression),
    /// Does something to the world that must not happen twice. In `once` methods only.
    Effect(Expression),
}

/// A call of an annotated method.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: usize,
    pub(crate) arguments: Vec<Place>,
    /// Takes the result.
    pub(crate) variable: usize,
    /// `?` instead of handling the error.
    pub(crate) propagate: bool,
    /// `catch_unwind` around it.
    pub(crate) catch: bool,
    /// It is awaited beside something else, and may be dropped. In `main` only.
    pub(crate) cancellable: bool,
}

/// A result as it travels, large enough to be told by an earlier one.
pub(crate) fn encode_result(result: Result<i64, Error>) -> Image {
    let padded = (result, vec![0_u8; 300]);
    codec::to_bytes(&padded, ByteCount::from_bytes(1_000)).expect("a result is small").into()
}

pub(crate) fn decode_result(image: &Image) -> Option<Result<i64, Error>> {
    let (result, _): (_, Vec<u8>) = codec::from_bytes(&image.0, 16).ok()?;
    Some(result)
}

/// How a method ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Return(Result<i64, Error>),
    Panic(i64),
    /// The private payload with which a call-back that failed on the way unwinds the server's method.
    Unwind,
    /// The caller dropped it.
    Cancelled,
}

/// What an `Err` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Error {
    /// The program's own.
    App(i64),
    /// `CallError::MaybeRan`, of `once` methods only.
    MaybeRan,
}
