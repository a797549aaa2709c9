//! What the program can do, here or there.
//!
//! The methods have names, so that `edge-app-changed` can have the same ones. Each says which process ran it, which no
//! method of a real program should look at.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::LazyLock;

use outboard::{CallError, State, remoteable};

/// A result, and the process that made it.
pub(crate) type Ran = (u64, u32);

/// What exclusive slots hold, with a part that never travels.
#[derive(Debug, State)]
pub(crate) struct Ledger {
    entries: Vec<u64>,
    balance: u64,
    #[serde(skip)]
    screen: String,
}

#[remoteable]
impl Ledger {
    #[outboard::local]
    pub(crate) fn new(screen: &str) -> Self {
        Self { entries: Vec::new(), balance: 0, screen: screen.to_owned() }
    }

    /// Changes half of the state before the gate and half of it after: a run that is cut off must leave no trace.
    #[remoteable(name = "post")]
    pub(crate) fn post(&mut self, amount: u64, gate: &str) -> Ran {
        self.entries.push(amount);
        knock(gate);
        self.balance += amount;
        ran(self.balance)
    }

    /// The same as `post`, waiting for nobody.
    #[remoteable(name = "book")]
    pub(crate) fn book(&mut self, amount: u64) -> Ran {
        self.entries.push(amount);
        self.balance += amount;
        ran(self.balance)
    }

    /// Calls back before the gate: what that changed has to go as well when the run is cut off.
    #[remoteable(name = "announce", deadline = "2s")]
    pub(crate) fn announce(&mut self, amount: u64, gate: &str) -> Ran {
        self.entries.push(amount);
        self.show(amount);
        knock(gate);
        self.entries.push(self.balance);
        ran(self.balance)
    }

    #[outboard::device]
    fn show(&mut self, amount: u64) {
        self.balance += amount;
        self.screen.push_str(", shown");
    }

    /// The same as `post`, but not waited for any longer than that.
    #[remoteable(name = "post-soon", deadline = "2s")]
    pub(crate) fn post_soon(&mut self, amount: u64, gate: &str) -> Ran {
        self.entries.push(amount);
        knock(gate);
        self.balance += amount;
        ran(self.balance)
    }
}

#[remoteable(name = "add")]
pub(crate) fn add(left: u64, right: u64) -> Ran {
    ran(left + right)
}

#[remoteable(name = "add-soon", deadline = "2s")]
pub(crate) fn add_soon(left: u64, right: u64) -> Ran {
    ran(left + right)
}

#[remoteable(name = "double")]
pub(crate) fn double(value: u64) -> Ran {
    ran(value * 2)
}

#[remoteable(name = "halve")]
pub(crate) fn halve(value: u64) -> Ran {
    ran(value / 2)
}

#[remoteable(name = "square")]
pub(crate) fn square(value: u64) -> Ran {
    ran(value * value)
}

#[remoteable(name = "meet")]
pub(crate) fn meet(gate: &str) -> Ran {
    knock(gate);
    ran(0)
}

/// Much to send back, once the gate lets it go: noise, which no compression makes small.
#[remoteable(name = "fill")]
pub(crate) fn fill(size: u64, gate: &str) -> (String, u32) {
    knock(gate);
    let mut noise = Vec::with_capacity(size as usize);
    let mut state = 1u64;
    for _ in 0..size / 8 {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let mixed = state ^ (state >> 29);
        // Six bits of a letter: `0` to `o`.
        noise.extend(((mixed & 0x3f3f_3f3f_3f3f_3f3f) + 0x3030_3030_3030_3030).to_le_bytes());
    }
    (String::from_utf8(noise).expect("letters are text"), std::process::id())
}

#[remoteable(name = "pay", once)]
pub(crate) fn pay(amount: u64, gate: &str) -> Result<Ran, CallError> {
    knock(gate);
    Ok(ran(amount))
}

/// May run again, and must not pay again.
#[remoteable(name = "buy")]
pub(crate) fn buy(amount: u64, gate: &str) -> Result<Ran, CallError> {
    let paid = pay(amount, gate);
    knock(gate);
    paid
}

#[remoteable(name = "pay-soon", once, deadline = "2s")]
pub(crate) fn pay_soon(amount: u64, gate: &str) -> Result<Ran, CallError> {
    knock(gate);
    Ok(ran(amount))
}

/// Work that takes the longer the slower the process says it is; what comes out is the same everywhere.
#[remoteable(name = "churn")]
pub(crate) fn churn(rounds: u64) -> Ran {
    let mut last = 0;
    for _ in 0..*SLOWNESS {
        last = (0..rounds).fold(rounds, |value, round| {
            std::hint::black_box(
                value.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(round).rotate_left(23),
            )
        });
    }
    ran(last)
}

/// How many times as much work this process has with `churn` as another: one machine plays a slow and a fast one.
static SLOWNESS: LazyLock<u64> = LazyLock::new(|| {
    let told = std::env::var("EDGE_APP_SLOWNESS").ok();
    told.map_or(1, |text| text.parse().expect("a number"))
});

pub(crate) fn ran(value: u64) -> Ran {
    (value, std::process::id())
}

/// Says which process is here, and waits for the test to answer or to hang up.
pub(crate) fn knock(gate: &str) {
    let mut gate = TcpStream::connect(gate).expect("the test listens");
    writeln!(gate, "{}", std::process::id()).expect("the test reads");
    // Whatever comes, the method goes on; that it was let go by a test that has failed does not matter.
    let _ = gate.read(&mut [0]);
}
