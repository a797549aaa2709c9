//! Programs with less in them.

use super::program::{Block, Program, Statement};

/// Every program with one statement less, or with the end of a block cut off.
pub(crate) fn smaller(program: &Program) -> Vec<Program> {
    let mut all = Vec::new();
    for (number, method) in program.methods.iter().enumerate() {
        all.extend(without_one(&method.body).into_iter().map(|body| {
            let mut program = program.clone();
            program.methods[number].body = body;
            program
        }));
    }
    all.extend(without_one(&program.main).into_iter().map(|main| Program { main, ..program.clone() }));
    all
}

/// How many statements a program has.
pub(crate) fn statements(program: &Program) -> usize {
    program.methods.iter().map(|method| count(&method.body)).sum::<usize>() + count(&program.main)
}

fn count(block: &Block) -> usize {
    let inner = |statement: &Statement| match statement {
        Statement::If { then, otherwise, .. } => count(then) + count(otherwise),
        Statement::Repeat { body, .. } => count(body),
        _ => 0,
    };
    block.iter().map(|statement| 1 + inner(statement)).sum()
}

fn without_one(block: &Block) -> Vec<Block> {
    // Cutting the end off is the one way to lose a local object.
    let mut all: Vec<Block> = (0..block.len()).map(|end| block[..end].into()).collect();
    for (place, statement) in block.iter().enumerate() {
        let mut replace = |instead: &[Statement]| {
            all.push([&block[..place], instead, &block[place + 1..]].concat().into());
        };
        match statement {
            // What follows counts on it.
            Statement::New(_) => {}
            Statement::If { odd, then, otherwise } => {
                replace(&[]);
                for then in without_one(then) {
                    replace(&[Statement::If { odd: odd.clone(), then, otherwise: otherwise.clone() }]);
                }
                for otherwise in without_one(otherwise) {
                    replace(&[Statement::If { odd: odd.clone(), then: then.clone(), otherwise }]);
                }
            }
            Statement::Repeat { times, body } => {
                replace(&[]);
                if *times > 1 {
                    replace(&[Statement::Repeat { times: times - 1, body: body.clone() }]);
                }
                for body in without_one(body) {
                    replace(&[Statement::Repeat { times: *times, body }]);
                }
            }
            _ => replace(&[]),
        }
    }
    all
}
