//! A call that may not be repeated, or cannot run here, needs a way to say that it failed.

use outboard::{CallError, remoteable};

struct Refused;

#[remoteable(once)]
fn pay(amount: u32) -> u32 {
    amount
}

#[remoteable(once)]
fn pay_in_vain(_amount: u32) {}

#[remoteable(remote_only)]
fn train(steps: u32) -> Option<u32> {
    Some(steps)
}

#[remoteable(once)]
fn pay_or_refuse(amount: u32) -> Result<u32, Refused> {
    if amount == 0 { Err(Refused) } else { Ok(amount) }
}

#[remoteable(remote_only, fallback = train)]
fn train_roughly(steps: u32) -> Option<u32> {
    Some(steps)
}

#[remoteable(once, remote_only)]
fn sound(amount: u32) -> Result<u32, CallError> {
    Ok(amount)
}

fn main() {}
