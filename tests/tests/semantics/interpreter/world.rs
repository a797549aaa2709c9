//! One run of a program through both sessions, with everything that can go wrong, in virtual time.

use std::time::Duration;

use outboard_core::Timestamp;

use super::device::{Around, Device};
use super::machine::Outside;
use super::plain::{Outcome, Told};
use super::program::Program;
use super::report::{Defect, Report};
use super::server::Server;
use super::shared::graph;
use super::tape::Tape;
use super::wire::{Link, To, Wire};

/// How much goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Frames overtake each other and everything takes its time, but nothing breaks.
    Fair,
    /// Bounds pass, connections break, servers crash and restart.
    Foul,
    /// Nothing breaks but the server, which restarts before this turn.
    ServerCrash(usize),
    /// Nothing breaks but the app, which starts anew before this turn.
    DeviceCrash(usize),
}

/// More than any run takes that does not hang.
const MOST_TURNS: usize = 200_000;

/// Something that can happen next.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Device,
    Worker(usize),
    Start(usize),
    Deliver(usize),
    Time,
    Connect,
}

struct World<'a> {
    program: &'a Program,
    tape: Tape,
    now: Timestamp,
    device: Device,
    server: Server,
    wire: Wire,
    links: u32,
    outside: Outside,
    /// What happened to runs of the app that crashed.
    earlier: Report,
    report: Report,
    defect: Option<Defect>,
    /// Something goes wrong once in so many turns.
    fault_every: usize,
}

/// A run, and what is to be compared.
pub(crate) struct Run {
    pub(crate) outcome: Outcome,
    pub(crate) told: Told,
    /// What happened to runs of the app that crashed.
    pub(crate) earlier: Report,
    /// What happened to the last one, which came to its end.
    pub(crate) report: Report,
    pub(crate) tape: Tape,
}

impl Run {
    /// Which run of the app came to its end.
    pub(crate) fn life(&self) -> u32 {
        1 + self.earlier.device_crashes as u32
    }
}

/// Runs the program with the choices of the tape. Gives the tape back with what was drawn from it.
pub(crate) fn run(program: &Program, mut tape: Tape, weather: Weather, defect: Option<Defect>) -> Run {
    let mut world = World {
        program,
        now: Timestamp::ZERO,
        device: Device::new(program, 1, defect),
        server: Server::new(program, 1, defect, &mut tape),
        tape,
        wire: Wire::default(),
        links: 0,
        outside: Outside::default(),
        earlier: Report::default(),
        report: Report::default(),
        defect,
        fault_every: 0,
    };
    if weather == Weather::Foul {
        world.fault_every = *world.tape.pick(&[0, 200, 60, 20]);
    }
    world.connect();
    for turn in 0.. {
        assert!(turn < MOST_TURNS, "the run hangs");
        if let Some(flow) = world.device.done {
            let objects = world.device.objects(program.objects.len());
            let told = world.device.told();
            let graph = graph(objects.iter().map(|object| &object.held));
            let outcome = Outcome { flow, objects, graph, outside: world.outside };
            return Run { outcome, told, earlier: world.earlier, report: world.report, tape: world.tape };
        }
        match weather {
            Weather::ServerCrash(at) if at == turn => world.crash_server(),
            Weather::DeviceCrash(at) if at == turn => world.crash_device(),
            _ => {}
        }
        world.turn();
    }
    unreachable!("the loop above only returns")
}

impl World<'_> {
    fn turn(&mut self) {
        if self.fault_every > 0 && self.tape.one_in(self.fault_every) {
            self.fault();
        }
        let turns = self.turns();
        let Some(&turn) = turns.get(if turns.is_empty() { 0 } else { self.tape.below(turns.len()) }) else {
            panic!("nothing can happen any more");
        };
        self.take(turn);
        self.settle();
    }

    /// What can happen next, the simplest first.
    fn turns(&self) -> Vec<Turn> {
        let mut turns = Vec::new();
        if self.device.is_runnable(self.program) {
            turns.push(Turn::Device);
        }
        turns.extend(self.wire.next().into_iter().map(Turn::Deliver));
        turns.extend(self.server.runnable().into_iter().map(Turn::Worker));
        turns.extend(self.server.startable().into_iter().map(Turn::Start));
        if turns.is_empty() && self.next_timeout().is_some() {
            turns.push(Turn::Time);
        }
        if self.device.link().is_none() {
            turns.push(Turn::Connect);
        }
        turns
    }

    fn take(&mut self, turn: Turn) {
        self.now += Duration::from_micros(100) * (1 + self.tape.below(3) as u32);
        match turn {
            Turn::Device => {
                self.step_device();
            }
            Turn::Worker(worker) => {
                self.server.step(
                    self.now,
                    self.program,
                    worker,
                    &mut self.outside,
                    &mut self.report,
                    &mut self.tape,
                );
            }
            Turn::Start(waiting) => self.server.start(self.now, self.program, waiting, &mut self.report),
            Turn::Deliver(index) => {
                let frame = self.wire.take(index);
                match frame.to {
                    To::Server => self.server.handle_frame(self.now, frame.link, &frame.bytes),
                    To::Device => {
                        self.perhaps_too_late();
                        self.device.handle_frame(self.now, frame.link, &frame.bytes);
                    }
                }
            }
            Turn::Time => {
                self.now = self.now.max(self.next_timeout().expect("time passes towards something"));
                self.device.handle_timeout(self.now);
                self.server.handle_timeout(self.now);
            }
            Turn::Connect => self.connect(),
        }
    }

    fn step_device(&mut self) {
        self.device.step(&mut Around {
            now: self.now,
            program: self.program,
            outside: &mut self.outside,
            report: &mut self.report,
            tape: &mut self.tape,
        });
    }

    fn settle(&mut self) {
        self.device.drain_outputs(&mut self.wire, &mut self.report, &mut self.tape);
        self.server.drain_outputs(self.program, &mut self.wire, &mut self.report, &mut self.tape);
    }

    fn connect(&mut self) {
        let link = Link(self.links);
        self.links += 1;
        self.server.listen(self.now, link, self.device.life());
        self.device.connect(self.now, link, self.program, &mut self.tape);
        self.settle();
    }

    fn next_timeout(&self) -> Option<Timestamp> {
        self.device.timeout().into_iter().chain(self.server.timeout()).min()
    }

    fn fault(&mut self) {
        match self.tape.below(10) {
            0..=2 => _ = self.device.expire(&mut self.tape),
            3 => self.cut(),
            4 => {
                if let Some(link) = self.device.link() {
                    self.report.holes += 1;
                    self.wire.swallow(link);
                }
            }
            5 => self.crash_server(),
            7 if self.tape.one_in(4) => self.crash_device(),
            7 | 8 => _ = self.device.cancel(self.now, self.program, &mut self.report),
            6 => {
                self.report.drains += 1;
                self.server.drain(self.now);
            }
            _ => {
                let runnable = self.server.runnable();
                if let Some(&worker) = runnable.get(self.tape.below(runnable.len())) {
                    self.report.panics += 1;
                    self.server.panic(self.now, self.program, worker, &mut self.outside);
                }
            }
        }
        self.settle();
    }

    fn crash_server(&mut self) {
        self.report.crashes += 1;
        self.server.restart(self.program, &mut self.tape);
        // A dead process says so, or its machine is dead too.
        match self.device.link() {
            Some(link) if self.tape.one_in(2) => self.wire.swallow(link),
            _ => self.device.handle_lost(self.now),
        }
        self.settle();
    }

    /// The app dies, and is started again: it knows nothing of the run before, whose calls may still run.
    fn crash_device(&mut self) {
        self.report.device_crashes += 1;
        if let Some(link) = self.device.link() {
            self.wire.swallow(link);
            if self.tape.one_in(2) {
                self.server.handle_lost(self.now, link);
            }
        }
        self.device = Device::new(self.program, self.device.life() + 1, self.defect);
        self.earlier = self.earlier + std::mem::take(&mut self.report);
        self.outside.shown.clear();
        self.settle();
    }

    /// The bound of a call passes while its reply, or a call-back, is on its last metres.
    fn perhaps_too_late(&mut self) {
        if self.fault_every > 0 && self.tape.one_in(8) && self.device.expire(&mut self.tape) {
            self.step_device();
        }
    }

    /// Breaks the connection. What is on its way is lost, or part of it still arrives at the server.
    fn cut(&mut self) {
        let Some(link) = self.device.link() else { return };
        self.report.cuts += 1;
        if self.tape.one_in(2) {
            self.wire.lose(link);
            self.server.handle_lost(self.now, link);
        }
        self.device.handle_lost(self.now);
    }
}
