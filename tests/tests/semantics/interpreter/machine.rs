//! Runs methods in small steps on a stack of its own, so that it can stop at every call and go on later.

use std::collections::BTreeMap;

use outboard_core::CallId;

use super::generate::VARIABLES;
use super::program::{Block, Error, Expression, Flow, Kind, Passing, Place, Program, Statement};
use super::value::{Heap, Object, Reference};

/// One activity of a logical thread: the methods that run in one place, from the outermost to the innermost.
#[derive(Debug)]
pub(crate) struct Machine {
    life: u32,
    frames: Vec<Frame>,
    /// What came of the last gate elsewhere.
    handed: Option<Flow>,
}

#[derive(Debug)]
struct Frame {
    /// `None` for `main`.
    method: Option<usize>,
    /// `None` for `main`, and for what runs as a part of another method.
    origin: Option<Origin>,
    slots: Vec<Reference>,
    variables: [i64; VARIABLES],
    blocks: Vec<Running>,
    /// The call that it waits for.
    waits: Option<Site>,
}

#[derive(Debug)]
struct Running {
    block: Block,
    next: usize,
    /// Times to go after this one.
    again: u8,
    /// How many slots and locals were known before it.
    known: usize,
}

#[derive(Debug)]
struct Site {
    variable: usize,
    propagate: bool,
    catch: bool,
    heap: usize,
}

/// What a step came to.
#[derive(Debug)]
pub(crate) enum Step {
    Ran,
    /// A call: `enter` it here, or `hand` over what came of it elsewhere.
    Gate {
        method: usize,
        arguments: Vec<Reference>,
        cancellable: bool,
    },
    /// The outermost method has ended.
    Done(Flow),
}

/// What device methods and `once` methods do to the world outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outside {
    pub(crate) shown: Vec<(usize, i64)>,
    pub(crate) effects: Vec<Effect>,
    /// Calls that may run once only, and of which their caller saw this in place of what they did.
    pub(crate) instead: BTreeMap<Origin, Flow>,
}

/// What must not run twice: a call of a run of the app, or one that it made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    /// The run of the app that calls.
    pub(crate) life: u32,
    pub(crate) call: CallId,
    /// Among those that the call made and that may run once only.
    pub(crate) sequence: Option<u32>,
}

/// Something that must not happen twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    /// The run of the app.
    pub(crate) life: u32,
    /// What does it, where that is not a part of something else that must not run twice.
    pub(crate) origin: Option<Origin>,
    pub(crate) method: usize,
    pub(crate) value: i64,
}

impl Machine {
    pub(crate) fn main(program: &Program, heap: &mut Heap) -> Self {
        let objects = program.objects.iter().zip(1..);
        let slots = objects.map(|(&of, number)| heap.allocate(Object::named(of, 100 * number))).collect();
        Self { life: 0, frames: vec![Frame::new(None, slots, &program.main)], handed: None }
    }

    /// A run of a method that must not run twice.
    pub(crate) fn method(
        program: &Program,
        method: usize,
        arguments: Vec<Reference>,
        origin: Origin,
    ) -> Self {
        let mut machine = Self::part(program, method, arguments, origin.life);
        machine.frames[0].origin = Some(origin);
        machine
    }

    /// A run of a method as a part of something else.
    pub(crate) fn part(program: &Program, method: usize, arguments: Vec<Reference>, life: u32) -> Self {
        let frame = Frame::new(Some(method), arguments, &program.methods[method].body);
        Self { life, frames: vec![frame], handed: None }
    }

    /// Runs the method of the last gate here.
    pub(crate) fn enter(&mut self, program: &Program, method: usize, arguments: Vec<Reference>) {
        self.frames.push(Frame::new(Some(method), arguments, &program.methods[method].body));
    }

    /// The method of the last gate ended elsewhere; the next step goes on with it.
    pub(crate) fn hand(&mut self, flow: Flow) {
        self.handed = Some(flow);
    }

    /// Whether the outermost method itself runs or waits, and none that it called.
    pub(crate) fn is_outermost(&self) -> bool {
        self.frames.len() == 1
    }

    /// Whether a method runs here that may run once only.
    pub(crate) fn is_in_once(&self, program: &Program) -> bool {
        self.frames
            .iter()
            .any(|frame| frame.method.is_some_and(|method| program.methods[method].kind == Kind::Once))
    }

    fn resume(&mut self, heap: &mut Heap, flow: Flow) -> Step {
        let frame = self.frames.last_mut().expect("a machine that waits has a frame");
        let site = frame.waits.take().expect("a frame that is resumed waits");
        heap.free_down_to(site.heap);
        match flow {
            Flow::Return(Ok(value)) => frame.variables[site.variable] = value,
            Flow::Return(Err(error)) if site.propagate => return self.leave(heap, Flow::Return(Err(error))),
            Flow::Return(Err(error)) => frame.variables[site.variable] = error.number(),
            Flow::Panic(_) | Flow::Unwind if !site.catch => return self.leave(heap, flow),
            Flow::Panic(code) => frame.variables[site.variable] = code ^ 0x55,
            Flow::Unwind => frame.variables[site.variable] = 0,
            Flow::Cancelled => frame.variables[site.variable] = -55,
        }
        Step::Ran
    }

    /// Does one statement.
    pub(crate) fn step(&mut self, program: &Program, heap: &mut Heap, outside: &mut Outside) -> Step {
        if let Some(flow) = self.handed.take() {
            return self.resume(heap, flow);
        }
        let frame = self.frames.last_mut().expect("a machine that runs has a frame");
        let Some(statement) = frame.next() else { return self.leave(heap, Flow::Return(Ok(0))) };
        match statement {
            Statement::Let { variable, value } => frame.variables[variable] = frame.evaluate(heap, &value),
            Statement::Set { place, field, value } => {
                let value = frame.evaluate(heap, &value);
                heap.at_mut(&frame.reference(&place)).numbers[field] = value;
            }
            Statement::Push { place, value, front } => {
                let value = frame.evaluate(heap, &value);
                let list = &mut heap.at_mut(&frame.reference(&place)).list;
                list.insert(if front { 0 } else { list.len() }, value);
            }
            Statement::SetHeld { place, value } => {
                let value = frame.evaluate(heap, &value);
                heap.at(&frame.reference(&place)).held.set(value);
            }
            Statement::Hold { place, from } => {
                let held = heap.at(&frame.reference(&from)).held.clone();
                heap.at_mut(&frame.reference(&place)).held = held;
            }
            Statement::Grow { place, value } => {
                let value = frame.evaluate(heap, &value);
                heap.at_mut(&frame.reference(&place)).held.grow(value);
            }
            Statement::Pop { place } => _ = heap.at_mut(&frame.reference(&place)).list.pop(),
            Statement::New(of) => frame.slots.push(heap.allocate(Object::new(of))),
            Statement::If { odd, then, otherwise } => {
                let chosen = if frame.evaluate(heap, &odd) & 1 == 1 { then } else { otherwise };
                frame.run(chosen, 0);
            }
            Statement::Repeat { times, body } => frame.run(body, times - 1),
            Statement::Call(call) => {
                let size = heap.size();
                let slots = &program.methods[call.method].slots;
                let arguments = call.arguments.iter().zip(slots).map(|(place, slot)| {
                    let reference = frame.reference(place);
                    match slot.passing {
                        Passing::Value => heap.allocate(heap.at(&reference).clone()),
                        Passing::Exclusive | Passing::Shared => reference,
                    }
                });
                let arguments = arguments.collect();
                let (variable, propagate, catch) = (call.variable, call.propagate, call.catch);
                frame.waits = Some(Site { variable, propagate, catch, heap: size });
                return Step::Gate { method: call.method, arguments, cancellable: call.cancellable };
            }
            Statement::Return(value) => {
                let value = frame.evaluate(heap, &value);
                return self.leave(heap, Flow::Return(Ok(value)));
            }
            Statement::Fail(value) => {
                let value = frame.evaluate(heap, &value);
                return self.leave(heap, Flow::Return(Err(Error::App(value))));
            }
            Statement::Panic(value) => {
                let value = frame.evaluate(heap, &value);
                return self.leave(heap, Flow::Panic(value));
            }
            Statement::ReadId { place, variable } => {
                frame.variables[variable] = heap.at(&frame.reference(&place)).id;
            }
            Statement::Mark { place, value } => {
                let value = frame.evaluate(heap, &value);
                heap.at_mut(&frame.reference(&place)).seen = value;
            }
            Statement::Show(value) => {
                outside.shown.push((frame.method.unwrap_or(usize::MAX), frame.evaluate(heap, &value)));
            }
            Statement::Effect(value) => {
                let (origin, method) = (frame.origin, frame.method.unwrap_or(usize::MAX));
                outside.effects.push(Effect {
                    life: self.life,
                    origin,
                    method,
                    value: frame.evaluate(heap, &value),
                });
            }
        }
        Step::Ran
    }

    fn leave(&mut self, heap: &mut Heap, flow: Flow) -> Step {
        if self.frames.len() == 1 {
            return Step::Done(flow);
        }
        self.frames.pop();
        self.resume(heap, flow)
    }
}

impl Frame {
    fn new(method: Option<usize>, slots: Vec<Reference>, body: &Block) -> Self {
        let known = slots.len();
        let body = Running { block: body.clone(), next: 0, again: 0, known };
        Self { method, origin: None, slots, variables: [0; VARIABLES], blocks: vec![body], waits: None }
    }

    fn run(&mut self, block: Block, again: u8) {
        self.blocks.push(Running { block, next: 0, again, known: self.slots.len() });
    }

    fn next(&mut self) -> Option<Statement> {
        loop {
            let running = self.blocks.last_mut()?;
            if let Some(statement) = running.block.get(running.next) {
                running.next += 1;
                return Some(statement.clone());
            }
            self.slots.truncate(running.known);
            if running.again > 0 {
                running.again -= 1;
                running.next = 0;
            } else if self.blocks.len() > 1 {
                self.blocks.pop();
            } else {
                return None;
            }
        }
    }

    fn reference(&self, place: &Place) -> Reference {
        let base = &self.slots[place.slot];
        Reference { object: base.object, path: [&base.path[..], &place.path].concat() }
    }

    fn evaluate(&self, heap: &Heap, expression: &Expression) -> i64 {
        match expression {
            Expression::Constant(value) => *value,
            Expression::Variable(variable) => self.variables[*variable],
            Expression::Number(place, field) => heap.at(&self.reference(place)).numbers[*field],
            Expression::Length(place) => heap.at(&self.reference(place)).list.len() as i64,
            Expression::Held(place) => heap.at(&self.reference(place)).held.number(),
            Expression::Last(place) => heap.at(&self.reference(place)).list.last().copied().unwrap_or(-1),
            Expression::Mix(left, right) => {
                let (left, right) = (self.evaluate(heap, left), self.evaluate(heap, right));
                left.wrapping_mul(31).wrapping_add(right).wrapping_add(7)
            }
        }
    }
}

impl Error {
    fn number(self) -> i64 {
        match self {
            Self::App(code) => code ^ 0xaa,
            Self::MaybeRan => -77,
        }
    }
}
