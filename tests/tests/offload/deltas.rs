//! State that both ends have travels as what changed since.

use std::sync::atomic::{AtomicU32, Ordering};

use outboard::{ByteCount, State, remoteable};
use outboard_tests::{Edge, Stop};

/// Large enough that sending it would show.
const LARGE: usize = 1 << 20;
/// What a slot may take that is told by its name, or by a few changed bytes.
const FEW: u64 = 200;

#[derive(State, Clone, Debug, PartialEq)]
struct Field {
    name: String,
    cells: Vec<u8>,
    generation: u64,
}

#[remoteable]
impl Field {
    #[outboard::local]
    fn new(seed: u8) -> Self {
        // Noise, so that nothing is won by compressing it.
        let mut noise = u64::from(seed) + 1;
        let mut next = || {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            (noise >> 32) as u8
        };
        let cells = (0..LARGE).map(|_| next()).collect();
        Self { name: format!("field {seed}"), cells, generation: 0 }
    }

    fn sum(&self) -> u64 {
        self.cells.iter().map(|cell| u64::from(*cell)).sum()
    }

    fn at(&self, cell: usize) -> u8 {
        self.cells[cell]
    }

    fn step(&mut self, cell: usize) -> u64 {
        self.generation += 1;
        self.cells[cell] ^= 0xFF;
        self.generation
    }

    fn raised(&self) -> Vec<u8> {
        self.cells.iter().map(|cell| cell.wrapping_add(1)).collect()
    }

    fn shown(&self, times: usize) -> u64 {
        (0..times).map(|_| self.show()).sum()
    }

    fn edited(&mut self, times: usize) -> u64 {
        (0..times).map(|time| self.edit(time)).sum()
    }

    #[outboard::device]
    fn show(&self) -> u64 {
        SHOWN.fetch_add(1, Ordering::Relaxed);
        self.cells.iter().map(|cell| u64::from(*cell)).sum()
    }

    #[outboard::device]
    fn edit(&mut self, cell: usize) -> u64 {
        self.cells[cell] = self.cells[cell].wrapping_add(1);
        self.generation += 1;
        self.generation
    }
}

static SHOWN: AtomicU32 = AtomicU32::new(0);

/// What a call sent and received, of slots and results.
fn cost<T>(edge: &Edge, method: &str, call: impl FnOnce() -> T) -> (T, u64, u64) {
    let report = edge.runtime().report();
    let before = report.methods.iter().any(|found| found.name.ends_with(method));
    let (sent, received) = if before { edge.travelled(method) } else { (0, 0) };
    let result = call();
    let after = edge.travelled(method);
    (result, after.0 - sent, after.1 - received)
}

#[test]
fn state_that_did_not_change_is_sent_once() {
    let edge = Edge::start();
    let field = Field::new(3);
    let (sum, sent, _) = cost(&edge, "Field::sum", || field.sum());
    assert!(sent > LARGE as u64, "{sent}");
    for _ in 0..3 {
        let (again, sent, received) = cost(&edge, "Field::sum", || field.sum());
        assert_eq!(again, sum);
        assert!(sent < FEW && received < FEW, "{sent} up, {received} down");
    }
    // Another method that borrows the same object finds it there too.
    let (cell, sent, _) = cost(&edge, "Field::at", || field.at(5));
    assert_eq!(cell, field.cells[5]);
    assert!(sent < FEW, "{sent}");
}

#[test]
fn what_changes_on_either_side_is_all_that_travels() {
    let edge = Edge::start();
    let mut field = Field::new(5);
    let mut plain = field.clone();
    field.step(1);
    plain.generation += 1;
    plain.cells[1] ^= 0xFF;
    for round in 2..6 {
        // Here first, then there.
        field.cells[round * 1000] = 7;
        plain.cells[round * 1000] = 7;
        let (generation, sent, received) = cost(&edge, "Field::step", || field.step(round));
        plain.generation += 1;
        plain.cells[round] ^= 0xFF;
        assert_eq!(generation, plain.generation);
        assert_eq!(field, plain);
        assert!(sent < FEW && received < FEW, "{sent} up, {received} down");
    }
    assert_eq!(edge.remote_calls("Field::step"), 5);
}

#[test]
fn what_was_inserted_is_all_that_travels() {
    let edge = Edge::start();
    let mut field = Field::new(7);
    field.sum();
    field.cells.splice(LARGE / 2..LARGE / 2, [1; 100]);
    let (sum, sent, _) = cost(&edge, "Field::sum", || field.sum());
    assert_eq!(sum, field.cells.iter().map(|cell| u64::from(*cell)).sum::<u64>());
    assert!(sent < 100 + FEW, "{sent}");
}

#[test]
fn an_object_that_moved_is_found_again() {
    let edge = Edge::start();
    let mut fields = vec![Field::new(9)];
    let sum = fields[0].sum();
    let moved = Box::new(fields.remove(0));
    let (again, sent, _) = cost(&edge, "Field::sum", || moved.sum());
    assert_eq!(again, sum);
    assert!(sent < FEW, "{sent}");
}

#[test]
fn a_result_is_told_by_the_one_before() {
    let edge = Edge::start();
    let mut field = Field::new(11);
    let (raised, _, received) = cost(&edge, "Field::raised", || field.raised());
    assert!(received > LARGE as u64, "{received}");
    field.cells[77] = 1;
    let (again, sent, received) = cost(&edge, "Field::raised", || field.raised());
    assert_eq!(again[77], 2);
    assert_eq!(again[78..], raised[78..]);
    assert!(sent < FEW && received < FEW, "{sent} up, {received} down");
}

#[test]
fn call_backs_are_told_by_what_the_call_carried() {
    let edge = Edge::start();
    let field = Field::new(13);
    let shown = SHOWN.load(Ordering::Relaxed);
    let plain = field.cells.iter().map(|cell| u64::from(*cell)).sum::<u64>();
    let (sum, sent, received) = cost(&edge, "Field::shown", || field.shown(5));
    assert_eq!(sum, 5 * plain);
    assert_eq!(SHOWN.load(Ordering::Relaxed) - shown, 5);
    assert!(sent < LARGE as u64 + 6 * FEW && received < 6 * FEW, "{sent} up, {received} down");

    let mut edited = field.clone();
    edited.sum();
    let (sum, sent, received) = cost(&edge, "Field::edited", || edited.edited(5));
    assert_eq!(sum, 1 + 2 + 3 + 4 + 5);
    assert_eq!(edited.generation, 5);
    assert_eq!(edited.cells[4], field.cells[4].wrapping_add(1));
    assert_eq!(edited.cells[5..], field.cells[5..]);
    assert!(sent < 6 * FEW && received < 6 * FEW, "{sent} up, {received} down");
}

#[test]
fn a_server_that_forgets_is_sent_the_whole_within_the_same_call() {
    // Less than the state: the device believes that it is there, and is told that it is not.
    let server = Stop::server_with(|config| config.session_bases = ByteCount::from_bytes(1000));
    let edge = Edge::served_by(server, |builder| builder);
    let mut field = Field::new(15);
    for round in 1..4 {
        assert_eq!(field.step(0), round);
    }
    assert_eq!(edge.remote_calls("Field::step"), 3);
    let report = edge.runtime().report();
    let step = report.methods.iter().find(|method| method.name.ends_with("Field::step")).expect("it ran");
    assert_eq!((step.attempts, step.failed, step.late), (5, 0, 0), "two of three had to be sent again");
    assert_eq!(step.local_calls, 0);
}

#[test]
fn a_device_that_may_keep_little_sends_more() {
    let server = Stop::server();
    let edge = Edge::served_by(server, |builder| builder.bases(ByteCount::from_bytes(1000)));
    let mut field = Field::new(17);
    for round in 1..4 {
        let (generation, sent, received) = cost(&edge, "Field::step", || field.step(0));
        assert_eq!(generation, round);
        assert!(sent > LARGE as u64, "{sent}");
        // The reply is told by what its own call carried, which is there until it lands.
        assert!(received < FEW, "{received}");
    }
    assert_eq!(edge.remote_calls("Field::step"), 3);
}

#[test]
fn objects_beyond_the_bound_drive_each_other_out_and_stay_right() {
    let room = ByteCount::from_bytes(5 * LARGE as u64 / 2);
    let server = Stop::server_with(|config| config.session_bases = room);
    let edge = Edge::served_by(server, |builder| builder.bases(room));
    let mut fields: Vec<_> = (1..6).map(Field::new).collect();
    let mut plain = fields.clone();
    for round in 0..4 {
        for (field, plain) in fields.iter_mut().zip(&mut plain) {
            field.step(round);
            plain.generation += 1;
            plain.cells[round] ^= 0xFF;
            assert_eq!(field, plain);
        }
    }
    assert_eq!(edge.remote_calls("Field::step"), 20);
}

#[test]
fn another_session_knows_nothing_of_the_last() {
    let first = Stop::server();
    let second = Stop::server();
    let address = second.address().to_owned();
    let mut edge = Edge::served_by(first, |builder| builder.server(address));
    let mut field = Field::new(19);
    assert_eq!(field.step(1), 1);
    edge.stop_server();
    // Now it can only be the second one, which has never seen the object.
    while edge.remote_calls("Field::step") < 2 {
        field.generation = 1;
        assert_eq!(field.step(2), 2);
    }
    assert_eq!(field.generation, 2);
}

#[test]
fn threads_with_objects_of_one_type_do_not_mix_them_up() {
    let edge = Edge::start();
    std::thread::scope(|scope| {
        for seed in 0..4u8 {
            let runtime = edge.runtime();
            scope.spawn(move || {
                let _entered = runtime.enter();
                let mut field = Field::new(seed);
                let mut plain = field.clone();
                for round in 0..6 {
                    field.cells[round] = seed;
                    plain.cells[round] = seed;
                    assert_eq!(field.step(round + 50), plain.generation + 1);
                    plain.generation += 1;
                    plain.cells[round + 50] ^= 0xFF;
                    assert_eq!(field, plain);
                }
            });
        }
    });
    assert_eq!(edge.remote_calls("Field::step"), 24);
    let (sent, _) = edge.travelled("Field::step");
    assert!(sent < 5 * LARGE as u64 + 24 * FEW, "{sent}");
}
