//! Programs as people read them.

use std::fmt::{self, Display, Formatter};

use super::program::{Block, Expression, Passing, Place, Program, Statement};

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, method) in self.methods.iter().enumerate() {
            let slots = method.slots.iter().enumerate().map(|(slot, of)| {
                let passing = match of.passing {
                    Passing::Exclusive => "&mut ",
                    Passing::Shared => "&",
                    Passing::Value => "",
                };
                format!("s{slot}: {passing}{:?}", of.of)
            });
            let kind = if method.is_async { "async " } else { "" };
            writeln!(f, "{kind}{:?} fn m{number}({}) {{", method.kind, slots.collect::<Vec<_>>().join(", "))?;
            block(f, &method.body, 1)?;
            writeln!(f, "}}")?;
        }
        writeln!(f, "fn main() {{\n    let {:?};", self.objects)?;
        block(f, &self.main, 1)?;
        write!(f, "}}")
    }
}

fn block(f: &mut Formatter<'_>, block: &Block, depth: usize) -> fmt::Result {
    block.iter().try_for_each(|line| statement(f, line, depth))
}

fn statement(f: &mut Formatter<'_>, statement: &Statement, depth: usize) -> fmt::Result {
    write!(f, "{:1$}", "", 4 * depth)?;
    match statement {
        Statement::Let { variable, value } => writeln!(f, "v{variable} = {value};"),
        Statement::Set { place, field, value } => writeln!(f, "{place}.{field} = {value};"),
        Statement::Push { place, value, front } => {
            let end = if *front { "front" } else { "back" };
            writeln!(f, "{place}.push_{end}({value});")
        }
        Statement::SetHeld { place, value } => writeln!(f, "*{place}.held = {value};"),
        Statement::Hold { place, from } => writeln!(f, "{place}.held = {from}.held;"),
        Statement::Grow { place, value } => writeln!(f, "{place}.held = new({value}, {place}.held);"),
        Statement::Pop { place } => writeln!(f, "{place}.pop();"),
        Statement::New(of) => writeln!(f, "let {of:?};"),
        Statement::If { odd, then, otherwise } => {
            writeln!(f, "if odd({odd}) {{")?;
            block(f, then, depth + 1)?;
            writeln!(f, "{:1$}}} else {{", "", 4 * depth)?;
            block(f, otherwise, depth + 1)?;
            writeln!(f, "{:1$}}}", "", 4 * depth)
        }
        Statement::Repeat { times, body } => {
            writeln!(f, "for _ in 0..{times} {{")?;
            block(f, body, depth + 1)?;
            writeln!(f, "{:1$}}}", "", 4 * depth)
        }
        Statement::Call(call) => {
            let arguments: Vec<String> = call.arguments.iter().map(ToString::to_string).collect();
            let catch = if call.catch { "catch " } else { "" };
            let propagate = if call.propagate { "?" } else { "" };
            let cancellable = if call.cancellable { "perhaps " } else { "" };
            let (variable, method) = (call.variable, call.method);
            writeln!(f, "v{variable} = {cancellable}{catch}m{method}({}){propagate};", arguments.join(", "))
        }
        Statement::Return(value) => writeln!(f, "return Ok({value});"),
        Statement::Fail(value) => writeln!(f, "return Err({value});"),
        Statement::Panic(value) => writeln!(f, "panic!({value});"),
        Statement::ReadId { place, variable } => writeln!(f, "v{variable} = {place}.id;"),
        Statement::Mark { place, value } => writeln!(f, "{place}.seen = {value};"),
        Statement::Show(value) => writeln!(f, "show({value});"),
        Statement::Effect(value) => writeln!(f, "effect({value});"),
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.slot)?;
        self.path.iter().try_for_each(|step| write!(f, ".part{step}"))
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => write!(f, "{value}"),
            Self::Variable(variable) => write!(f, "v{variable}"),
            Self::Number(place, field) => write!(f, "{place}.{field}"),
            Self::Length(place) => write!(f, "{place}.len()"),
            Self::Last(place) => write!(f, "{place}.last()"),
            Self::Held(place) => write!(f, "*{place}.held"),
            Self::Mix(left, right) => write!(f, "mix({left}, {right})"),
        }
    }
}
