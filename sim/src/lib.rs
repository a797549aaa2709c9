//! Replays networks, radios, batteries and servers in virtual time, for tests of apps that use `outboard`.
//!
//! It measures nothing on the machine that it runs on: every time comes from a declared or recorded model, so that a run
//! is the same to the last bit everywhere.

mod agenda;
mod app;
mod battery;
mod device;
mod generate;
mod link;
mod outcome;
mod path;
mod random;
mod replay;
mod script;
mod server;
mod simulation;
mod trace;
mod trial;
mod world;

pub use agenda::Agenda;
pub use app::{Calls, Cost, MethodModel, ModelApp, Size};
pub use battery::Battery;
pub use device::DeviceModel;
pub use generate::Preset;
pub use link::{
    Direction, Link, LinkError, LinkState, Markov, Missing, OtherDirection, Outage, OutageKind, RoundTrip,
};
pub use outboard_core::{Bandwidth, ByteCount, Energy, Power, Timestamp};
pub use outcome::{CallRecord, Outcome, Place, Went};
pub use path::{Path, Reception};
pub use random::Random;
pub use replay::Replay;
pub use script::{Script, ScriptedCall, Threads};
pub use server::{Fault, ServerModel};
pub use simulation::{
    Call, Figures, IntoCost, MethodCost, Route, Simulated, Simulation, SimulationError, block_on, pass,
};
pub use trace::{
    Arrival, ArrivalTrace, LinkStep, LinkTrace, Loss, PowerTrace, StepsError, TraceEnd, TraceError, Voltage,
};
pub use trial::{Policy, Trial, median_way};
pub use world::{Happening, Job, World};
