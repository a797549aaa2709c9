//! Apps that are declared instead of written: what their methods cost, and who calls whom.

use std::time::Duration;

use outboard_client_proxy::{Hedge, Kind, MethodInfo};
use outboard_core::{ByteCount, MethodId};

/// A declared app: its methods, by place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelApp {
    methods: Vec<MethodModel>,
}

/// What a call of a method costs, as a function of its work.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MethodModel {
    /// Its name; no other method of the app has it.
    pub name: String,
    /// It runs on the device, and servers call back for it.
    pub on_device: bool,
    /// Time of a run on the device, without the methods that it calls.
    pub own: Cost,
    /// What it changes: goes to the server, and comes back.
    pub state: Size,
    /// What only goes to the server.
    pub arguments: Size,
    /// What only comes back.
    pub result: Size,
    /// The methods that a run calls after its own time, in their order.
    pub calls: Vec<Calls>,
    /// Its own ε, in place of the runtime's.
    pub slowdown: Option<f64>,
    /// Its own way to hedge, in place of the runtime's.
    pub hedge: Option<Hedge>,
}

/// A loop in a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// The place of the method that it calls.
    pub method: usize,
    /// How often, one after the other.
    pub times: u64,
}

/// A time that grows with work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Of every call.
    pub fixed: Duration,
    /// For each unit of work.
    pub each: Duration,
}

impl Cost {
    /// So much for each unit of work, and nothing beside.
    pub fn per_unit(each: Duration) -> Self {
        Self { fixed: Duration::ZERO, each }
    }
}

/// A size that grows with work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Of every call.
    pub fixed: ByteCount,
    /// For each unit of work.
    pub each: ByteCount,
}

impl ModelApp {
    /// An app without methods.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a method and says its place. It can call those that were added before.
    pub fn add(&mut self, method: MethodModel) -> usize {
        self.methods.push(method);
        self.methods.len() - 1
    }

    /// Its methods.
    pub fn methods(&self) -> &[MethodModel] {
        &self.methods
    }

    /// Time of a whole run on the device, with all that it calls.
    pub fn local(&self, method: usize, work: Option<f64>) -> Duration {
        let Some(model) = self.methods.get(method) else { return Duration::ZERO };
        let inner = model.inner(method).map(|calls| {
            let times = u32::try_from(calls.times).unwrap_or(u32::MAX);
            self.local(calls.method, work).saturating_mul(times)
        });
        inner.fold(model.own.of(work), Duration::saturating_add)
    }
}

impl MethodModel {
    /// A method that takes so long on the device, and changes state of that size.
    pub fn new(name: impl Into<String>, own: Duration, state: ByteCount) -> Self {
        Self {
            name: name.into(),
            on_device: false,
            own: Cost { fixed: own, each: Duration::ZERO },
            state: Size { fixed: state, each: ByteCount::ZERO },
            arguments: Size::default(),
            result: Size::default(),
            calls: Vec::new(),
            slowdown: None,
            hedge: None,
        }
    }

    /// A method that has to run on the device.
    pub fn on_device(name: impl Into<String>, own: Duration) -> Self {
        Self { on_device: true, ..Self::new(name, own, ByteCount::ZERO) }
    }

    /// It takes arguments of that size, beside what it changes.
    #[must_use]
    pub fn taking(mut self, arguments: ByteCount) -> Self {
        self.arguments.fixed = arguments;
        self
    }

    /// It gives a result of that size, beside what it changes.
    #[must_use]
    pub fn giving(mut self, result: ByteCount) -> Self {
        self.result.fixed = result;
        self
    }

    /// A run calls that method so often.
    #[must_use]
    pub fn calling(mut self, method: usize, times: u64) -> Self {
        self.calls.push(Calls { method, times });
        self
    }

    /// What goes to the server.
    pub fn up(&self, work: Option<f64>) -> ByteCount {
        self.state.of(work) + self.arguments.of(work)
    }

    /// What comes back.
    pub fn down(&self, work: Option<f64>) -> ByteCount {
        self.state.of(work) + self.result.of(work)
    }

    /// What a run calls. A method that calls itself, or one that was added after it, is not followed: it would never end.
    pub(crate) fn inner(&self, own: usize) -> impl Iterator<Item = Calls> {
        self.calls.iter().copied().filter(move |calls| calls.method < own)
    }

    pub(crate) fn id(&self) -> MethodId {
        MethodId::named(&self.name)
    }

    pub(crate) fn info(&self) -> MethodInfo {
        MethodInfo {
            kind: if self.on_device { Kind::Device } else { Kind::Remoteable },
            slowdown: self.slowdown,
            hedge: self.hedge,
            ..MethodInfo::remoteable(self.id(), self.name.as_str())
        }
    }
}

impl Cost {
    /// That of a call.
    pub fn of(self, work: Option<f64>) -> Duration {
        let each = self.each.as_secs_f64() * work.unwrap_or(1.0).max(0.0);
        self.fixed.saturating_add(Duration::try_from_secs_f64(each).unwrap_or(Duration::MAX))
    }
}

impl Size {
    /// That of a call.
    pub fn of(self, work: Option<f64>) -> ByteCount {
        self.fixed + self.each.scaled(work.unwrap_or(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_its_own_time_and_that_of_its_loops() {
        let (ms, kb) = (Duration::from_millis, |kilo: u64| ByteCount::from_bytes(kilo * 1_000));
        let mut app = ModelApp::new();
        let inner = app.add(MethodModel::new("inner", ms(2), kb(1)).giving(kb(3)));
        let outer = app.add(MethodModel::new("outer", ms(10), kb(5)).taking(kb(1)).calling(inner, 20));
        assert_eq!(app.local(outer, None), ms(50));
        let outer = &app.methods()[outer];
        assert_eq!((outer.up(None), outer.down(None)), (kb(6), kb(5)));
        assert_eq!(app.methods()[inner].down(None), kb(4));
    }

    #[test]
    fn costs_grow_with_work() {
        let cost = Cost { fixed: Duration::from_millis(5), each: Duration::from_millis(2) };
        assert_eq!(cost.of(Some(10.0)), Duration::from_millis(25));
        let size = Size { fixed: ByteCount::from_bytes(5), each: ByteCount::from_bytes(2) };
        assert_eq!(size.of(Some(2.5)), ByteCount::from_bytes(10));
        assert_eq!(size.of(Some(f64::NAN)), ByteCount::from_bytes(5));
    }
}
