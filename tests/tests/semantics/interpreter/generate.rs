//! Makes programs out of choices. They keep the rules that SEMANTICS.md gives to programmers.

use super::program::{Block, Call, Expression, Kind, Method, Passing, Place, Program, Slot, Statement};
use super::tape::Tape;
use super::value::Type;

pub(crate) const VARIABLES: usize = 3;

pub(crate) fn program(tape: &mut Tape) -> Program {
    let count = 1 + tape.below(6);
    let kinds: Vec<Kind> = (0..count)
        .map(|_| *tape.pick(&[Kind::Remoteable, Kind::Device, Kind::Remoteable, Kind::Device, Kind::Once]))
        .collect();
    let mut methods: Vec<Method> = Vec::new();
    // From the last to the first: a method knows those that it may call.
    for (number, &kind) in kinds.iter().enumerate().rev() {
        let slots: Vec<Slot> = (0..*tape.pick(&[0, 1, 2, 3, 2, 1])).map(|_| slot(kind, tape)).collect();
        let scope = slots
            .iter()
            .map(|slot| Known { of: slot.of, writable: slot.passing != Passing::Shared })
            .collect();
        let mut writer =
            Writer { tape, first: number + 1, callees: &methods, scope, at: Some(kind), calls: 4 };
        let body = writer.body();
        let is_async = kind == Kind::Device && tape.one_in(2);
        methods.insert(0, Method { kind, is_async, slots, body });
    }
    let objects: Vec<Type> = (0..1 + tape.below(3))
        .map(|_| *tape.pick(&[Type::Plain, Type::Deep, Type::Leaf, Type::Holder, Type::Holder]))
        .collect();
    let scope = objects.iter().map(|&of| Known { of, writable: true }).collect();
    let mut writer = Writer { tape, first: 0, callees: &methods, scope, at: None, calls: 8 };
    let main = writer.main();
    Program { methods, objects, main }
}

fn slot(kind: Kind, tape: &mut Tape) -> Slot {
    // Device methods have few: what is shared is not called back with.
    if kind != Kind::Once && tape.one_in(if kind == Kind::Device { 16 } else { 6 }) {
        let passing = *tape.pick(&[Passing::Exclusive, Passing::Exclusive, Passing::Shared, Passing::Value]);
        return Slot { of: Type::Holder, passing };
    }
    let passing = *tape.pick(&[
        Passing::Exclusive,
        Passing::Exclusive,
        Passing::Exclusive,
        Passing::Shared,
        Passing::Value,
    ]);
    let of = match passing {
        Passing::Value => Type::Plain,
        Passing::Shared if !tape.one_in(4) => Type::Plain,
        Passing::Exclusive | Passing::Shared => *tape.pick(&[Type::Plain, Type::Deep, Type::Leaf]),
    };
    Slot { of, passing }
}

#[derive(Clone, Copy)]
struct Known {
    of: Type,
    writable: bool,
}

struct Writer<'a> {
    tape: &'a mut Tape,
    /// The number of the first method of `callees`.
    first: usize,
    callees: &'a [Method],
    scope: Vec<Known>,
    /// The kind of the method, `None` for `main`.
    at: Option<Kind>,
    /// How many calls it may still have.
    calls: usize,
}

impl Writer<'_> {
    fn body(&mut self) -> Block {
        let is_once = self.at == Some(Kind::Once);
        let early = is_once && self.tape.one_in(2);
        let mut body = Vec::new();
        if early {
            body.push(Statement::Effect(self.expression(0)));
        }
        body.extend(self.statements(6, 0));
        if is_once && !early {
            body.push(Statement::Effect(self.expression(0)));
        }
        let last = self.expression(1);
        body.push(match self.tape.below(8) {
            6 => Statement::Fail(last),
            7 => Statement::Panic(last),
            _ => Statement::Return(last),
        });
        body.into()
    }

    fn main(&mut self) -> Block {
        let mut body = self.statements(4, 0);
        for _ in 0..1 + self.tape.below(4) {
            self.call(&mut body);
            body.extend(self.statements(2, 0));
        }
        body.into()
    }

    fn statements(&mut self, most: usize, depth: usize) -> Vec<Statement> {
        let known = self.scope.len();
        let mut list = Vec::new();
        for _ in 0..self.tape.below(most + 1) {
            self.statement(&mut list, depth);
        }
        // Locals of an inner block are not known after it: it may not have run.
        if depth > 0 {
            self.scope.truncate(known);
        }
        list
    }

    fn statement(&mut self, list: &mut Vec<Statement>, depth: usize) {
        let variable = self.tape.below(VARIABLES);
        match self.tape.below(18) {
            0 => list.push(Statement::Let { variable, value: self.expression(0) }),
            1..=3 => {
                if let Some(place) = self.place(|known| known.writable) {
                    let field = self.tape.below(2);
                    let value = self.expression(1);
                    // What depends on what was there shows a method that ran twice.
                    let before = Box::new(Expression::Number(place.clone(), field));
                    list.push(Statement::Set {
                        place,
                        field,
                        value: Expression::Mix(before, Box::new(value)),
                    });
                }
            }
            4 => {
                if let Some(place) = self.place(|known| known.writable) {
                    let (value, front) = (self.expression(0), self.tape.one_in(3));
                    list.push(Statement::Push { place, value, front });
                }
            }
            5 => list.extend(self.place(|known| known.writable).map(|place| Statement::Pop { place })),
            6 | 7 if depth < 2 => {
                let odd = self.expression(0);
                let then = self.statements(3, depth + 1).into();
                let otherwise = self.statements(2, depth + 1).into();
                list.push(Statement::If { odd, then, otherwise });
            }
            8 if depth < 2 => {
                let times = 1 + self.tape.below(3) as u8;
                list.push(Statement::Repeat { times, body: self.statements(3, depth + 1).into() });
            }
            9 | 10 if self.on_device() => self.device_statement(list, variable),
            12 | 13 => self.held_statement(list),
            11 if depth > 0 && self.tape.one_in(4) => {
                let value = self.expression(0);
                let leave = *self.tape.pick(&[Statement::Return, Statement::Fail, Statement::Panic]);
                list.push(leave(value));
            }
            _ => self.call(list),
        }
    }

    fn held_statement(&mut self, list: &mut Vec<Statement>) {
        let kind = self.tape.below(4);
        // What is held can be changed through a shared reference.
        let Some(place) = self.place(|known| known.of == Type::Holder && (known.writable || kind < 2)) else {
            return;
        };
        let value = self.expression(0);
        list.push(match kind {
            0 | 1 => {
                let before = Box::new(Expression::Held(place.clone()));
                Statement::SetHeld { place, value: Expression::Mix(before, Box::new(value)) }
            }
            2 => Statement::Grow { place, value },
            _ => match self.place(|known| known.of == Type::Holder) {
                Some(from) => Statement::Hold { place, from },
                None => return,
            },
        });
    }

    fn device_statement(&mut self, list: &mut Vec<Statement>, variable: usize) {
        let value = self.expression(0);
        let place = self.place(|known| known.of.skips());
        // A mark goes onto the device's own object, also through a shared reference: it is a cell.
        list.extend(match (place, self.tape.below(3)) {
            (Some(place), 0) => Some(Statement::ReadId { place, variable }),
            (Some(place), 1) => Some(Statement::Mark { place, value }),
            _ if self.at.is_some() => Some(Statement::Show(value)),
            _ => None,
        });
    }

    fn on_device(&self) -> bool {
        matches!(self.at, None | Some(Kind::Device))
    }

    /// A call, and before it the local objects that it needs.
    fn call(&mut self, list: &mut Vec<Statement>) {
        if self.callees.is_empty() || self.calls == 0 {
            return;
        }
        self.calls -= 1;
        let callee = self.tape.below(self.callees.len());
        let mut arguments: Vec<(Place, Passing)> = Vec::new();
        for slot in &self.callees[callee].slots {
            let taken = |place: &Place, passing| {
                arguments.iter().any(|(other, theirs)| {
                    other.slot == place.slot
                        && (passing == Passing::Exclusive || *theirs == Passing::Exclusive)
                })
            };
            let mut fitting: Vec<Place> = self.places(slot.of, slot.passing == Passing::Exclusive);
            fitting.retain(|place| !taken(place, slot.passing));
            let place = if fitting.is_empty() {
                list.push(Statement::New(slot.of));
                self.scope.push(Known { of: slot.of, writable: true });
                Place { slot: self.scope.len() - 1, path: vec![] }
            } else {
                self.tape.pick(&fitting).clone()
            };
            arguments.push((place, slot.passing));
        }
        let is_main = self.at.is_none();
        list.push(Statement::Call(Call {
            method: self.first + callee,
            arguments: arguments.into_iter().map(|(place, _)| place).collect(),
            variable: self.tape.below(VARIABLES),
            propagate: !is_main && self.tape.one_in(2),
            catch: is_main || self.tape.one_in(3),
            cancellable: is_main && self.tape.one_in(2),
        }));
    }

    fn places(&self, of: Type, exclusive: bool) -> Vec<Place> {
        let usable = self.scope.iter().enumerate().filter(|(_, known)| known.writable || !exclusive);
        usable
            .flat_map(|(slot, known)| {
                let whole = (known.of == of).then(|| Place { slot, path: vec![] });
                let part =
                    (known.of == Type::Deep && of == Type::Leaf).then(|| Place { slot, path: vec![0] });
                whole.into_iter().chain(part)
            })
            .collect()
    }

    fn place(&mut self, wanted: impl Fn(Known) -> bool) -> Option<Place> {
        let slots: Vec<usize> = (0..self.scope.len()).filter(|&slot| wanted(self.scope[slot])).collect();
        let slot = *slots.get(self.tape.below(slots.len()))?;
        let deeper = self.scope[slot].of == Type::Deep && self.tape.one_in(2);
        Some(Place { slot, path: if deeper { vec![0] } else { vec![] } })
    }

    fn expression(&mut self, depth: usize) -> Expression {
        match self.tape.below(9) {
            0 => Expression::Constant(self.tape.below(10) as i64),
            1 => Expression::Variable(self.tape.below(VARIABLES)),
            kind @ 2..=4 => match self.place(|_| true) {
                Some(place) if kind == 2 => Expression::Number(place, self.tape.below(2)),
                Some(place) if kind == 3 => Expression::Length(place),
                Some(place) => Expression::Last(place),
                None => Expression::Constant(1),
            },
            7 => match self.place(|known| known.of == Type::Holder) {
                Some(place) => Expression::Held(place),
                None => Expression::Constant(2),
            },
            _ if depth < 2 => {
                Expression::Mix(Box::new(self.expression(depth + 1)), Box::new(self.expression(depth + 1)))
            }
            _ => Expression::Variable(0),
        }
    }
}
