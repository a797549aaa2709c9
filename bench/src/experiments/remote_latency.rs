//! `remote.latency`: what a remote call that does nothing takes, one after the other.

use crate::cores::Cores;
use crate::experiment::{Contender, Effort, Experiment, side_by_side};
use crate::failure::Failure;
use crate::peer::Client;
use crate::peers::outboard::Outboard;
use crate::peers::quic::{Quinn, Streams};
use crate::peers::udp::Udp;
use crate::report::{Report, Target};
use crate::series::Series;

/// Calls in a turn of a full run: about a tenth of a second.
const CALLS: usize = 4_000;

pub(crate) struct RemoteLatency;

impl Experiment for RemoteLatency {
    fn name(&self) -> &'static str {
        "remote.latency"
    }

    fn about(&self) -> &'static str {
        "a remote call of 64 B answered by 8 B, two processes on this machine, median of the calls of a turn"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        for cores in [Cores::Any, Cores::One] {
            cores.during(|| measure(cores, effort, report))?;
        }
        Ok(())
    }
}

fn measure(cores: Cores, effort: Effort, report: &mut Report) -> Result<(), Failure> {
    let calls = effort.work(CALLS);
    let mut contenders = vec![
        contender("outboard", Outboard::start()?, calls),
        contender("udp", Udp::start()?, calls),
        contender("quinn", Quinn::start(Streams::PerCall)?, calls),
        contender("quinn-one-stream", Quinn::start(Streams::One)?, calls),
    ];
    let series = side_by_side(effort, &mut contenders)?;
    let name = |part: &str| format!("remote.latency/{}/{part}", cores.name());
    for (contender, series) in contenders.iter().zip(&series) {
        report.figure(name(contender.name), series.clone(), "µs", None)?;
    }
    let [outboard, udp, per_call, one_stream] = series.as_slice() else { return Ok(()) };
    // Its session is one stream for small calls, so it is held against the faster of the two ways to use quinn.
    let quinn = if one_stream.median() < per_call.median() { one_stream } else { per_call };
    report.figure(name("outboard-over-quinn"), outboard.over(quinn), "×", Some(Target::AtMost(0.75)))?;
    let over_udp = (cores == Cores::Any).then_some(Target::AtMost(1.6));
    report.figure(name("outboard-over-udp"), outboard.over(udp), "×", over_udp)?;
    report.figure(name("quinn-over-udp"), quinn.over(udp), "×", None)
}

fn contender<'a>(name: &'static str, mut client: impl Client + 'a, calls: usize) -> Contender<'a> {
    let mut latencies = Vec::with_capacity(calls);
    Contender::new(name, move || {
        latencies.clear();
        client.call(calls, &mut latencies)?;
        Ok(latencies.iter().copied().collect::<Series>().median())
    })
}
