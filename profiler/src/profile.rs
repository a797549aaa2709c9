//! What is known of a program: its methods and who calls whom, and the call graph that follows.

use std::collections::BTreeMap;
use std::ops::RangeBounds;
use std::time::Duration;

use outboard_core::{
    BodyHash, ByteCount, CallFigures, CallGraph, Cost, Energy, MethodFigures, MethodIndex, Placement,
    Shipping, Timestamp, UnknownMethod,
};

use crate::energy::EnergyModel;
use crate::method::{LocalCalls, MethodStatistics, RemoteCall};
use crate::network::NetworkEstimate;
use crate::predictor::Trust;
use crate::radio::Exchange;
use crate::snapshot::MethodSnapshot;
use crate::spread::{Quantile, Quantity, Spread};

/// The profile of a program.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    methods: Vec<MethodStatistics>,
    edges: BTreeMap<Edge, u64>,
    /// Calls of earlier times, scaled to weigh little.
    kept: BTreeMap<Edge, f64>,
}

/// Who called, and who was called.
type Edge = (Option<MethodIndex>, MethodIndex);

/// What the costs of a call graph are reckoned with.
#[derive(Clone, Copy, Debug)]
pub struct Costing<'a> {
    /// The present.
    pub now: Timestamp,
    /// The link to the server.
    pub network: &'a NetworkEstimate,
    /// What the device spends.
    pub energy: &'a EnergyModel,
    /// How many times as fast as the device the server is.
    pub speed_ratio: f64,
    /// How long the radio has usually been silent when a call comes.
    pub silence: Duration,
    /// Which figure of what is uncertain counts.
    pub risk: Risk,
}

/// Which figure of an uncertain cost a plan is made with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Risk {
    /// The median: what happens most often, whatever else may.
    #[default]
    Usual,
    /// The mean: plans save most in the long run. What is uncertain counts for more than it usually takes.
    Expected,
    /// Of a server and the way to it what they seldom pass, of the device the mean: plans send only what saves even then.
    Averse(Quantile),
}

impl Risk {
    /// Of a server or the way to it.
    fn away<T: Quantity>(self, spread: Spread<T>) -> T {
        match self {
            Self::Usual => spread.median(),
            Self::Expected => spread.mean(),
            Self::Averse(quantile) => spread.at(quantile),
        }
    }

    /// Of the device.
    fn here<T: Quantity>(self, spread: Spread<T>) -> T {
        match self {
            Self::Usual => spread.median(),
            Self::Expected | Self::Averse(_) => spread.mean(),
        }
    }
}

impl Profile {
    /// The vertex that stands for all code that is not annotated; it runs on the device.
    pub const APP: MethodIndex = MethodIndex(u32::MAX);

    /// Nothing is known of any method.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a method; indices are dense and in order of addition.
    pub fn add_method(&mut self, name: impl Into<String>) -> MethodIndex {
        let index = MethodIndex(u32::try_from(self.methods.len()).unwrap_or(u32::MAX));
        self.methods.push(MethodStatistics::new(name.into()));
        index
    }

    /// Takes runs on the device in; a method that was never added is ignored.
    pub fn observe_local(&mut self, calls: &LocalCalls) {
        self.observe_batch(std::slice::from_ref(calls));
    }

    /// Takes what a thread counted since the last time in, in whatever order it comes.
    pub fn observe_batch(&mut self, batch: &[LocalCalls]) {
        for calls in batch {
            if calls.method.position() < self.methods.len() {
                self.count(calls.caller, calls.method, calls.calls);
            }
        }
        // Whole local runs first: those that were not are put together from them.
        let (parted, whole): (Vec<&LocalCalls>, Vec<&LocalCalls>) =
            batch.iter().partition(|calls| calls.offloaded_within);
        for calls in whole {
            if let Some(method) = self.methods.get_mut(calls.method.position()) {
                method.observe_local(calls, None);
            }
        }
        for calls in parted {
            let rebuilt = self.rebuild(calls);
            if let Some(method) = self.methods.get_mut(calls.method.position()) {
                method.observe_local(calls, rebuilt);
            }
        }
    }

    /// Takes a run on a server in; a method that was never added is ignored.
    pub fn observe_remote(&mut self, call: &RemoteCall) {
        if let Some(method) = self.methods.get_mut(call.method.position()) {
            method.observe_remote(call);
            self.count(call.caller, call.method, 1);
        }
    }

    /// Takes the size of a call's encoded slots in, sent or not.
    pub fn observe_encoded(&mut self, method: MethodIndex, up: ByteCount, work: Option<f64>) {
        if let Some(method) = self.methods.get_mut(method.position()) {
            method.observe_encoded(up, work);
        }
    }

    /// A call's slots were encoded only to know their size; `returning` is the part of those that come back.
    pub fn observe_size(
        &mut self,
        method: MethodIndex,
        up: ByteCount,
        returning: ByteCount,
        work: Option<f64>,
    ) {
        if let Some(method) = self.methods.get_mut(method.position()) {
            method.observe_size(up, returning, work);
        }
    }

    /// What is known of a method.
    pub fn method(&self, method: MethodIndex) -> Option<&MethodStatistics> {
        self.methods.get(method.position())
    }

    /// Every caller, callee and number of calls, local and remote ones.
    pub fn edges(&self) -> impl Iterator<Item = (Option<MethodIndex>, MethodIndex, u64)> {
        self.edges.iter().map(|((caller, callee), calls)| (*caller, *callee, *calls))
    }

    /// Whether no call is known, of this run or an earlier one.
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty() && self.kept.is_empty()
    }

    /// Takes over what was learned of a method at another time. Of its calls only that `share` counts.
    pub fn restore(&mut self, method: MethodIndex, kept: &MethodSnapshot, trust: Trust, share: f64) {
        if let Some(method) = self.methods.get_mut(method.position()) {
            method.restore(kept, trust, share);
        }
    }

    /// Takes over how often a method was called at another time; `calls` is what counts of it.
    pub fn restore_edge(&mut self, caller: Option<MethodIndex>, callee: MethodIndex, calls: f64) {
        let known = |method: MethodIndex| method.position() < self.methods.len();
        if known(callee) && caller.is_none_or(known) {
            self.kept.insert((caller, callee), calls);
        }
    }

    /// What was learned of a method in this run; `None` if it never ran.
    pub fn snapshot(&self, method: MethodIndex, body: BodyHash) -> Option<MethodSnapshot> {
        self.method(method)?.snapshot(body)
    }

    /// The call graph with its costs, of the methods that ran and can be priced; [`APP`](Self::APP) calls those that code
    /// without annotations calls. `pin` says where a method has to run.
    pub fn call_graph(
        &self,
        costing: &Costing<'_>,
        pin: impl Fn(MethodIndex) -> Option<Placement>,
    ) -> CallGraph {
        let runs = self.runs();
        let mut graph = CallGraph::new();
        let app =
            MethodFigures { name: "the app".to_owned(), pin: Some(Placement::Device), ..Default::default() };
        graph.insert(Self::APP, app);
        for (position, method) in self.methods.iter().enumerate() {
            let index = MethodIndex(position as u32);
            if runs[position] >= 0.5 {
                graph.insert(index, costing.figures(method, runs[position], pin(index)));
            }
        }
        for ((caller, callee), calls) in self.weights(..) {
            let calls = calls * caller.map_or(1.0, |caller| self.unseen(caller, &runs));
            let figures = costing.shipping(&self.methods[callee.position()], calls);
            // A caller that was never added to the graph has no costs to compare; its calls come from the app then.
            if let Err(UnknownMethod(_)) = graph.add_calls(caller.unwrap_or(Self::APP), callee, figures) {
                let _absent_too = graph.add_calls(Self::APP, callee, figures);
            }
        }
        graph
    }

    fn count(&mut self, caller: Option<MethodIndex>, callee: MethodIndex, calls: u64) {
        let caller = caller.filter(|caller| caller.position() < self.methods.len());
        let count = self.edges.entry((caller, callee)).or_default();
        *count = count.saturating_add(calls);
    }

    /// Calls of this run, and those of earlier ones as far as they count.
    fn weights(&self, of: impl RangeBounds<Edge> + Clone) -> impl Iterator<Item = (Edge, f64)> {
        let kept = |edge: &Edge| self.kept.get(edge).copied().unwrap_or(0.0);
        let new = self.edges.range(of.clone()).map(move |(edge, calls)| (*edge, *calls as f64 + kept(edge)));
        let old = self.kept.range(of).filter(|(edge, _)| !self.edges.contains_key(*edge));
        new.chain(old.map(|(edge, calls)| (*edge, *calls)))
    }

    /// What a run would have taken, had the methods that it called run here too: its own time, and theirs as often as they
    /// are usually called. `None` if one of them never ran here.
    ///
    /// Without this, a method whose callees go to a server from the start would never have a local time to be compared
    /// with, and could never go there itself.
    fn rebuild(&self, run: &LocalCalls) -> Option<Duration> {
        let runs = self.methods.get(run.method.position())?.local_weight() + run.calls as f64;
        let mut time = run.exclusive.to_number() / run.timed.max(1) as f64;
        let from = (Some(run.method), MethodIndex(0))..=(Some(run.method), MethodIndex(u32::MAX));
        for ((_, callee), calls) in self.weights(from) {
            if callee != run.method {
                let once = self.methods[callee.position()].local(None)?.median().to_number();
                time += once * calls / runs.max(1.0);
            }
        }
        Some(Duration::from_number(time))
    }

    /// How often each method runs, those runs included that happen on the server and are not seen from here.
    ///
    /// What a method calls is only seen while it runs on the device, so its calls are scaled up by all its runs
    /// over its runs here. Callers may themselves be called unseen; a few rounds reach as deep as call graphs are.
    fn runs(&self) -> Vec<f64> {
        let mut runs: Vec<f64> = self.methods.iter().map(MethodStatistics::weight).collect();
        for _ in 0..ROUNDS {
            let mut next: Vec<f64> = vec![0.0; runs.len()];
            for ((caller, callee), calls) in self.weights(..) {
                let unseen = match caller {
                    Some(caller) if caller != callee => self.unseen(caller, &runs),
                    _ => 1.0,
                };
                next[callee.position()] += calls * unseen;
            }
            runs = next;
        }
        runs
    }

    /// All runs of a caller over those in which its calls were seen.
    fn unseen(&self, caller: MethodIndex, runs: &[f64]) -> f64 {
        let local = self.methods[caller.position()].local_weight();
        // Recursion could amplify round by round; a method offloaded a thousand times per local run is as good as always.
        if local <= 0.0 { 1.0 } else { (runs[caller.position()] / local).clamp(1.0, 1_000.0) }
    }
}

/// Deeper unseen chains than this are counted as seen from here.
const ROUNDS: usize = 8;

impl Costing<'_> {
    fn figures(&self, method: &MethodStatistics, runs: f64, pin: Option<Placement>) -> MethodFigures {
        let local = method.exclusive(None).map_or(Duration::ZERO, |local| self.risk.here(local));
        // The ratio that this method showed, where it showed one; else that of the machines.
        let shown = method.local(None).zip(method.on_server(None, self.speed_ratio));
        let ratio = shown.map_or(1.0 / self.speed_ratio, |(local, remote)| {
            self.risk.away(remote).to_number() / self.risk.here(local).to_number().max(1e-9)
        });
        let (local_time, remote_time) = (scaled(local, runs), scaled(local, runs * ratio));
        MethodFigures {
            name: method.name().to_owned(),
            calls: runs as u64,
            local_energy: self.energy.running(local_time).unwrap_or(Energy::ZERO),
            local_time,
            remote_time,
            remote_energy: self.energy.waiting(remote_time).unwrap_or(Energy::ZERO),
            pin,
        }
    }

    fn shipping(&self, method: &MethodStatistics, calls: f64) -> CallFigures {
        let up = method.up(None).unwrap_or_else(|| Spread::around(UNKNOWN_SIZE, 0.0));
        let down = method.down(None).unwrap_or(up);
        let (rate_up, rate_down) = (self.network.goodput_up(self.now), self.network.goodput_down(self.now));
        // The radio is awake while the server runs, though the time is the method's.
        let run = method.on_server(None, self.speed_ratio);
        let run = run.map_or(Duration::ZERO, |run| self.risk.away(run));
        let round_trip = self.risk.away(self.network.round_trip(self.now));
        let whole = Exchange {
            up: self.risk.away(up),
            down: self.risk.away(down),
            up_time: self.risk.away(up.over(rate_up)),
            wait: round_trip.saturating_add(run),
            down_time: self.risk.away(down.over(rate_down)),
        };
        let bytes = (up.median() + down.median()).scaled(calls);
        let empty = Exchange {
            up: ByteCount::ZERO,
            down: ByteCount::ZERO,
            up_time: Duration::ZERO,
            down_time: Duration::ZERO,
            ..whole
        };
        let instant = Exchange { wait: run, ..empty };
        let [whole, empty, instant] = [whole, empty, instant].map(|exchange| self.cost(&exchange, run));
        // Each part is what the exchange costs less without it; of the whole each leaves off only what it has.
        let round_trips = less(empty, instant);
        let payload = less(whole, empty);
        let fixed = less(less(whole, payload), round_trips);
        let all = |cost: Cost| Cost { energy: cost.energy.scaled(calls), time: scaled(cost.time, calls) };
        CallFigures {
            calls: calls as u64,
            bytes,
            shipping: Shipping { fixed: all(fixed), round_trips: all(round_trips), payload: all(payload) },
        }
    }

    /// What an exchange costs beside what the server's run of that time costs.
    fn cost(&self, exchange: &Exchange, run: Duration) -> Cost {
        let radio = self.energy.radio().map(|radio| radio.marginal(Some(self.silence), exchange));
        let radio = radio.unwrap_or_default();
        let time = exchange.time().saturating_sub(run).saturating_add(radio.delay);
        Cost { energy: self.energy.remote(time, radio.energy).unwrap_or(Energy::ZERO), time }
    }
}

fn less(cost: Cost, part: Cost) -> Cost {
    Cost { energy: cost.energy.saturating_sub(part.energy), time: cost.time.saturating_sub(part.time) }
}

/// What slots are taken to be until they were encoded once.
pub(crate) const UNKNOWN_SIZE: ByteCount = ByteCount::from_bytes(10_000);

fn scaled(time: Duration, factor: f64) -> Duration {
    Duration::from_number(time.to_number() * factor)
}

#[cfg(test)]
mod tests {
    use outboard_core::{Bandwidth, Objective};

    use super::*;
    use crate::device::DeviceProfile;

    fn local(method: MethodIndex, caller: Option<MethodIndex>, calls: u64, millis: u64) -> LocalCalls {
        let time = Duration::from_millis(millis * calls);
        LocalCalls {
            method,
            caller,
            calls,
            timed: calls,
            inclusive: time,
            exclusive: time,
            cpu: None,
            work: None,
            offloaded_within: false,
        }
    }

    fn remote(method: MethodIndex, ran: Duration, speed_ratio: f64) -> RemoteCall {
        RemoteCall {
            method,
            caller: None,
            work: None,
            up: ByteCount::from_bytes(1_000),
            down: ByteCount::from_bytes(1_000),
            elapsed: ran * 2,
            queued: ran / 10,
            ran,
            speed_ratio,
        }
    }

    fn with_costing<R>(speed_ratio: f64, then: impl FnOnce(&Costing<'_>) -> R) -> R {
        let mut network = NetworkEstimate::unknown();
        network.observe_round_trip(Timestamp::ZERO, Duration::from_millis(10));
        let energy = EnergyModel::new(&DeviceProfile::built_in("raspberry-pi-4b").expect("built in"));
        let silence = Duration::ZERO;
        then(&Costing {
            now: Timestamp::ZERO,
            network: &network,
            energy: &energy,
            speed_ratio,
            silence,
            risk: Risk::Usual,
        })
    }

    #[test]
    fn a_profile_becomes_a_problem() {
        let mut profile = Profile::new();
        let (detect, find) = (profile.add_method("detect"), profile.add_method("find"));
        profile.observe_local(&local(detect, None, 2, 100));
        profile.observe_local(&local(find, Some(detect), 6, 10));
        profile.observe_encoded(find, ByteCount::from_bytes(5_000), None);
        with_costing(4.0, |costing| {
            let graph = profile.call_graph(costing, |_| None);
            let figures = graph.figures(detect).expect("it ran");
            assert_eq!(figures.local_time.as_millis(), 200);
            assert_eq!(figures.remote_time.as_millis(), 50);
            assert_eq!(graph.calls_between(Profile::APP, detect).map(|edge| edge.calls), Some(2));
            let edge = graph.calls_between(detect, find).expect("it calls");
            // Of 5 kB each way: what was encoded, and a reply that is taken to be as large until one was seen.
            assert_eq!((edge.calls, edge.bytes.as_bytes()), (6, 60_000));
            let cost = edge.shipping.total();
            assert!(cost.time > Duration::from_millis(60) && cost.energy > Energy::ZERO, "{edge:?}");
            assert!(edge.shipping.round_trips.time > edge.shipping.payload.time, "{edge:?}");
            assert!(graph.problem(Objective::default()).is_ok());
        });
    }

    #[test]
    fn a_cautious_plan_counts_more_for_what_is_less_certain() {
        let mut profile = Profile::new();
        let detect = profile.add_method("detect");
        profile.observe_local(&local(detect, None, 20, 100));
        profile.observe_encoded(detect, ByteCount::from_bytes(5_000), None);
        with_costing(4.0, |costing| {
            let risks = [Risk::Usual, Risk::Expected, Risk::Averse(Quantile::P90)];
            let graphs = risks.map(|risk| profile.call_graph(&Costing { risk, ..*costing }, |_| None));
            let figures = graphs.each_ref().map(|graph| graph.figures(detect).expect("it ran"));
            assert!(figures[0].local_time < figures[1].local_time);
            assert_eq!(figures[1].local_time, figures[2].local_time, "what is here is not feared for");
            let [usual, expected, averse] = graphs
                .each_ref()
                .map(|graph| graph.calls_between(Profile::APP, detect).unwrap().shipping.total());
            // Nothing was ever sent: the bandwidth is a guess, with a mean far above its median.
            assert!(usual.time.mul_f64(1.2) < expected.time, "{usual} {expected}");
            assert!(expected.time.mul_f64(1.2) < averse.time, "{expected} {averse}");
        });
    }

    #[test]
    fn a_method_that_never_ran_is_not_in_the_graph() {
        let mut profile = Profile::new();
        let never = profile.add_method("never");
        with_costing(4.0, |costing| assert!(profile.call_graph(costing, |_| None).figures(never).is_none()));
    }

    #[test]
    fn calls_made_on_the_server_are_not_forgotten() {
        let mut profile = Profile::new();
        let (outer, inner) = (profile.add_method("outer"), profile.add_method("inner"));
        profile.observe_local(&local(outer, None, 10, 100));
        profile.observe_local(&local(inner, Some(outer), 30, 10));
        for _ in 0..90 {
            profile.observe_remote(&remote(outer, Duration::from_millis(25), 4.0));
        }
        with_costing(4.0, |costing| {
            let graph = profile.call_graph(costing, |_| None);
            assert_eq!(graph.figures(outer).map(|figures| figures.calls), Some(100));
            assert_eq!(graph.figures(inner).map(|figures| figures.calls), Some(300));
            assert_eq!(graph.calls_between(outer, inner).map(|edge| edge.calls), Some(300));
        });
    }

    #[test]
    fn recursion_does_not_amplify_without_end() {
        let mut profile = Profile::new();
        let (even, odd) = (profile.add_method("even"), profile.add_method("odd"));
        profile.observe_local(&local(even, None, 1, 1));
        profile.observe_local(&local(even, Some(odd), 1_000, 1));
        profile.observe_local(&local(odd, Some(even), 1_000, 1));
        profile.observe_local(&local(even, Some(even), 1_000, 1));
        for _ in 0..10_000 {
            profile.observe_remote(&remote(odd, Duration::from_millis(1), 1.0));
        }
        with_costing(1.0, |costing| {
            assert!(profile.call_graph(costing, |_| None).problem(Objective::Time).is_ok());
        });
    }

    #[test]
    fn what_a_server_showed_outweighs_the_speed_of_its_loop() {
        let mut profile = Profile::new();
        let method = profile.add_method("memory-bound");
        profile.observe_local(&local(method, None, 1, 100));
        for _ in 0..5 {
            profile.observe_remote(&remote(method, Duration::from_millis(80), 4.0));
        }
        let statistics = profile.method(method).expect("added");
        assert_eq!(statistics.server_time(), Duration::from_millis(5 * 80));
        assert_eq!(statistics.queued_time(), Duration::from_millis(5 * 8));
        assert_eq!(statistics.queued().map(|wait| wait.median().as_millis()), Some(8));
        let ran = statistics.on_server(None, 4.0).expect("it ran").median();
        assert!(ran.as_millis().abs_diff(80) <= 1, "{ran:?}");
        // A server twice as fast is taken to be twice as fast at this method too.
        let faster = statistics.on_server(None, 8.0).expect("it ran").median();
        assert!(faster.as_millis().abs_diff(40) <= 1, "{faster:?}");
    }

    #[test]
    fn a_run_that_offloaded_a_part_is_put_together_from_what_the_parts_take_here() {
        let mut profile = Profile::new();
        let (outer, inner) = (profile.add_method("outer"), profile.add_method("inner"));
        // Four calls of the inner method: the first here, in 50 ms, the others on a server.
        for _ in 0..3 {
            let call = remote(inner, Duration::from_millis(10), 4.0);
            profile.observe_remote(&RemoteCall { caller: Some(outer), ..call });
        }
        let whole = LocalCalls { offloaded_within: true, ..local(outer, None, 1, 30) };
        profile.observe_batch(&[whole, local(inner, Some(outer), 1, 50)]);
        let here = profile.method(outer).and_then(|outer| outer.local(None)).expect("rebuilt").median();
        assert!(here.as_millis().abs_diff(30 + 4 * 50) <= 1, "{here:?}");
    }

    #[test]
    fn a_part_that_never_ran_here_leaves_the_whole_unknown() {
        let mut profile = Profile::new();
        let (outer, inner) = (profile.add_method("outer"), profile.add_method("inner"));
        let call = remote(inner, Duration::from_millis(10), 4.0);
        profile.observe_remote(&RemoteCall { caller: Some(outer), ..call });
        profile.observe_local(&LocalCalls { offloaded_within: true, ..local(outer, None, 1, 3) });
        let statistics = profile.method(outer).expect("added");
        assert!(statistics.local(None).is_none());
        assert!(statistics.exclusive(None).is_some());
        assert_eq!(statistics.local_calls(), 1);
    }

    #[test]
    fn calls_that_were_not_timed_took_what_their_neighbours_took() {
        let mut profile = Profile::new();
        let method = profile.add_method("hot");
        let untimed = LocalCalls {
            timed: 0,
            inclusive: Duration::ZERO,
            exclusive: Duration::ZERO,
            ..local(method, None, 98, 0)
        };
        profile.observe_batch(&[local(method, None, 1, 4), local(method, None, 1, 8), untimed]);
        let statistics = profile.method(method).expect("added");
        assert_eq!(statistics.local_calls(), 100);
        assert_eq!(statistics.own_time(), Duration::from_millis(600));
        assert_eq!(statistics.local_time(), Duration::from_millis(600));
    }

    #[test]
    fn untimed_calls_are_counted() {
        let mut profile = Profile::new();
        let method = profile.add_method("hot");
        let time = Duration::from_micros(4);
        let batch =
            LocalCalls { timed: 2, inclusive: time, exclusive: time, ..local(method, None, 1_000, 0) };
        profile.observe_local(&batch);
        let statistics = profile.method(method).expect("added");
        assert_eq!(statistics.local_time(), Duration::from_millis(2));
        assert_eq!(statistics.local(None).map(|time| time.median().as_micros()), Some(2));
        assert_eq!(Bandwidth::of(statistics.sent(), time), Some(Bandwidth::ZERO));
    }
}
