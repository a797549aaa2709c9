//! `remote.latency`: what a remote call that does nothing takes, one after the other.

use crate::cores::Cores;
use crate::experiment::{Contender, Effort, Experiment, side_by_side};
use crate::failure::Failure;
use crate::peer::Client;
use crate::peers::quic::{Quinn, Streams};
use crate::peers::udp::Udp;
use crate::report::Report;
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
        contender("udp", Udp::start()?, calls),
        contender("quinn", Quinn::start(Streams::PerCall)?, calls),
        contender("quinn-one-stream", Quinn::start(Streams::One)?, calls),
    ];
    let series = side_by_side(effort, &mut contenders)?;
    let name = |part: &str| format!("remote.latency/{}/{part}", cores.name());
    for (contender, series) in contenders.iter().zip(&series) {
        report.figure(name(contender.name), series.clone(), "µs", None)?;
    }
    report.figure(name("quinn-over-udp"), series[1].over(&series[0]), "×", None)
}

fn contender<'a>(name: &'static str, mut client: impl Client + 'a, calls: usize) -> Contender<'a> {
    let mut latencies = Vec::with_capacity(calls);
    Contender::new(name, move || {
        latencies.clear();
        client.call(calls, &mut latencies)?;
        Ok(latencies.iter().copied().collect::<Series>().median())
    })
}
