//! What two honest ends say to each other: the raw material of dishonest frames.

use std::sync::OnceLock;
use std::time::Duration;

use outboard_core::{BodyHash, CallId, Epoch, InstanceId, MethodId, SchemaHash, SessionId, Timestamp};
use outboard_wire::delta::Delta;
use outboard_wire::frame::{
    AnswerFrame, AnswerImage, AppIdentity, AskFrame, Attempt, BackFrame, BackSlot, CallFrame, Capacity,
    FailedFrame, Failure, Hello, Load, MethodEntry, MethodStatus, NotRun, PROTOCOL, Part, ProbeFrame,
    ProbedFrame, ReplyFrame, ServerCost, SlotImage, ToDevice, ToServer, Version, Welcome, encode_frame,
};
use outboard_wire::{Limits, Output, Timing, device, server};

/// The methods of the app.
pub(crate) const METHODS: [MethodId; 3] = [MethodId(1), MethodId(2), MethodId(3)];
/// The token of the server.
pub(crate) const TOKEN: &str = "token";
/// The run of the server.
pub(crate) const SERVER: InstanceId = InstanceId(9);

/// The frames of one conversation.
#[derive(Default)]
pub(crate) struct Conversation {
    pub(crate) to_server: Vec<Vec<u8>>,
    pub(crate) to_device: Vec<Vec<u8>>,
}

/// The frames of a conversation in which everything is said that can be.
pub(crate) fn honest() -> &'static Conversation {
    static CONVERSATION: OnceLock<Conversation> = OnceLock::new();
    CONVERSATION.get_or_init(|| {
        let mut said = Conversation::default();
        said.talk(|device, server, now, step| match step {
            0 => {
                for number in 1..=4 {
                    device.call(now, call(number, 40)).expect("the session is open");
                }
                let ask = AskFrame { attempt: attempt(9), about: CallId(1), inner: None };
                device.ask(now, ask).expect("the session is open");
            }
            1 => {
                for number in 1..=2 {
                    server.start(now, attempt(number)).expect("nobody gave it up");
                    server.back(now, back(number, 0)).expect("the device takes call-backs");
                }
                let refused = Failure::NotRun(NotRun::Busy);
                server
                    .fail(now, FailedFrame { attempt: attempt(3), failure: refused, load: Load::default() });
            }
            2 => {
                device.answer(now, answer(1, 0)).expect("it was asked");
                let refusal =
                    AnswerFrame { attempt: attempt(2), sequence: 0, outcome: Err("no".into()), onces: 0 };
                device.answer(now, refusal).expect("it was asked");
                device.fence(now, attempt(4));
                device.call(now, CallFrame { within: Some(attempt(1)), ..call(5, 9) }).expect("it is open");
            }
            3 => {
                server.reply(now, reply(1, 40));
                let panicked = Failure::Panicked("boom".into());
                server
                    .fail(now, FailedFrame { attempt: attempt(2), failure: panicked, load: Load::default() });
                let forgotten = Failure::Forgotten;
                server.fail(
                    now,
                    FailedFrame { attempt: attempt(9), failure: forgotten, load: Load::default() },
                );
            }
            4 => {
                server.drain(now);
                device.goodbye(now);
            }
            _ => {}
        });
        // Last, so that what was kept of earlier runs still speaks of the frames it did.
        let probe = ProbeFrame { number: 0, wanted: 20, padding: vec![0; 30].into() };
        let probed = ProbedFrame { number: 0, padding: vec![0; 20].into(), load: Load::default() };
        said.to_server.push(encode_frame(&ToServer::Probe(probe), &Limits::default()).expect("it is small"));
        said.to_device
            .push(encode_frame(&ToDevice::Probed(probed), &Limits::default()).expect("it is small"));
        said
    })
}

impl Conversation {
    /// Lets both ends speak in turns, one second apart, and writes down what they say.
    fn talk(&mut self, mut act: impl FnMut(&mut device::Session, &mut server::Session, Timestamp, u32)) {
        let mut now = Timestamp::ZERO;
        let mut device = device::Session::new(now, hello(7), Timing::default());
        let mut server = server::Session::new(now, Limits::default(), Timing::default());
        self.settle(now, &mut device, &mut server);
        for step in 0..6 {
            now += Duration::from_secs(1);
            device.handle_timeout(now);
            act(&mut device, &mut server, now, step);
            self.settle(now, &mut device, &mut server);
        }
    }

    fn settle(&mut self, now: Timestamp, device: &mut device::Session, server: &mut server::Session) {
        loop {
            if let Some(output) = device.poll() {
                if let Output::Transmit { bytes, .. } = output {
                    server.handle_frame(now, &bytes);
                    self.to_server.push(bytes);
                }
            } else if let Some(output) = server.poll() {
                match output {
                    Output::Transmit { bytes, .. } => {
                        device.handle_frame(now, &bytes);
                        self.to_device.push(bytes);
                    }
                    Output::Event(server::Event::Hello(hello)) => {
                        server.accept(now, welcome(hello.methods.len()));
                    }
                    _ => {}
                }
            } else {
                return;
            }
        }
    }
}

pub(crate) fn attempt(call: u64) -> Attempt {
    Attempt { call: CallId(call), epoch: Epoch::FIRST }
}

pub(crate) fn app() -> AppIdentity {
    AppIdentity { name: "app".into(), version: "1.0.0".into(), build: String::new() }
}

pub(crate) fn methods() -> Vec<MethodEntry> {
    let entry = |id| MethodEntry { id, body: BodyHash(1), schema: SchemaHash(1), compatible: false };
    METHODS.map(entry).into()
}

pub(crate) fn hello(device: u64) -> Hello {
    Hello {
        protocol: PROTOCOL,
        app: app(),
        token: TOKEN.into(),
        device: InstanceId(device.into()),
        limits: Limits::default(),
        methods: methods(),
    }
}

pub(crate) fn welcome(methods: usize) -> Welcome {
    Welcome {
        protocol: 0,
        session: SessionId(1),
        server: SERVER,
        limits: Limits::default(),
        methods: vec![MethodStatus::Accepted; methods],
        capacity: Capacity { cores: 2, speed: 1_000_000 },
        load: Load::default(),
    }
}

pub(crate) fn call(number: u64, bytes: usize) -> CallFrame {
    CallFrame {
        time_left: Some(Duration::from_secs(30)),
        on_device: vec![METHODS[1]],
        result_base: Some(Version { attempt: attempt(1), part: Part::Result }),
        ..CallFrame::new(attempt(number), METHODS[0], vec![vec![1; bytes].into()])
    }
}

pub(crate) fn reply(number: u64, bytes: usize) -> ReplyFrame {
    let version = Version { attempt: attempt(number), part: Part::Sent(0) };
    ReplyFrame {
        attempt: attempt(number),
        result: vec![2; 8].into(),
        exclusive: vec![SlotImage::Delta(Some(version), Delta::Edits(vec![3; bytes].into()))],
        onces: 1,
        cost: ServerCost::default(),
        load: Load::default(),
    }
}

pub(crate) fn back(number: u64, sequence: u32) -> BackFrame {
    let place = BackSlot::Place { slot: 0, path: vec![1], image: vec![4; 12].into() };
    let slots = vec![BackSlot::Copy(vec![5; 3].into()), place];
    BackFrame { attempt: attempt(number), sequence, method: METHODS[1], slots, onces: Some(0) }
}

pub(crate) fn answer(number: u64, sequence: u32) -> AnswerFrame {
    let image = AnswerImage { result: vec![6; 8].into(), exclusive: vec![vec![7; 12].into()] };
    AnswerFrame { attempt: attempt(number), sequence, outcome: Ok(image), onces: 1 }
}
