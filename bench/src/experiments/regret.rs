//! `regret.*`: what decisions cost, beside those of an oracle that knew the network.

use std::collections::BTreeMap;

use outboard_client_proxy::Hedge;
use outboard_core::Objective;
use outboard_sim::{Outcome, Policy, Trial};

use crate::decisions::{self, Workload};
use crate::experiment::{Effort, Experiment};
use crate::failure::Failure;
use crate::report::{Report, Target};
use crate::series::Series;
use crate::table::Table;

/// By time, or by energy.
pub(crate) struct Regret {
    name: &'static str,
    about: &'static str,
    objective: Objective,
    most: f64,
}

pub(crate) const TIME: Regret = Regret {
    name: "regret.time",
    about: "time of calls over that of an oracle's which knew the network, mean over traces",
    objective: Objective::Time,
    most: 1.12,
};
pub(crate) const ENERGY: Regret = Regret {
    name: "regret.energy",
    about: "energy of calls over that of an oracle's which knew the network, mean over traces",
    objective: Objective::Energy,
    most: 1.10,
};

/// No trace may be worse than without Outboard by more than this.
const OVER_LOCAL: f64 = 1.03;

/// A name, and how it plays a trial.
type Contender = (&'static str, fn(&Trial) -> Outcome);

/// Who is compared; ours first.
const CONTENDERS: [Contender; 6] = [
    ("outboard", |trial| trial.play(Policy::Outboard)),
    ("hedge never", |trial| hedged(trial, Hedge::Never)),
    ("hedge always", |trial| hedged(trial, Hedge::Always)),
    ("always-local", |trial| trial.play(Policy::Local)),
    ("always-remote", |trial| trial.play(Policy::Remote)),
    ("maui", |trial| trial.play(Policy::Maui)),
];

/// What the contenders came to on one network, by workload: over the oracle, and over always-local.
#[derive(Clone, Debug, Default)]
struct Trace {
    over_oracle: [Vec<f64>; CONTENDERS.len()],
    over_local: [Vec<f64>; CONTENDERS.len()],
}

impl Experiment for Regret {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let mut families: BTreeMap<String, Vec<(String, Trace)>> = BTreeMap::new();
        for network in decisions::all(effort)? {
            let mut trace = Trace::default();
            for workload in Workload::all() {
                let Some(trial) = workload.on(&network, self.objective)? else { continue };
                let oracle = self.measure(&trial.play(Policy::Oracle));
                let local = self.measure(&trial.play(Policy::Local));
                let Some((oracle, local)) = oracle.zip(local) else { continue };
                for (place, (_, play)) in CONTENDERS.iter().enumerate() {
                    if let Some(value) = self.measure(&play(&trial)) {
                        trace.over_oracle[place].push(value / oracle);
                        trace.over_local[place].push(value / local);
                    }
                }
            }
            families.entry(network.family.clone()).or_default().push((network.name.clone(), trace));
        }
        self.by_family(&families, report)?;
        self.by_trace(&families, report)
    }
}

impl Regret {
    /// What counts of an outcome, in seconds or joules; `None` where it is not known.
    fn measure(&self, outcome: &Outcome) -> Option<f64> {
        let value = match self.objective {
            Objective::Time => Some(outcome.time().as_secs_f64()),
            _ => outcome.spent().map(|energy| energy.as_joules_f64()),
        };
        value.filter(|value| *value > 0.0)
    }

    fn by_family(
        &self,
        families: &BTreeMap<String, Vec<(String, Trace)>>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let mut rows = Vec::new();
        for (family, traces) in families {
            // The mean of each trace's workloads, and then of the traces.
            let figure = |place: usize| {
                mean(traces.iter().filter_map(|(_, it)| mean(it.over_oracle[place].iter().copied())))
            };
            rows.push((family.clone(), (0..CONTENDERS.len()).map(figure).collect::<Vec<_>>()));
        }
        for (family, figures) in &rows {
            if let Some(ours) = figures[0] {
                let target = Some(Target::AtMost(self.most));
                report.figure(format!("{}/{family}", self.name), one(ours), "×", target)?;
            }
        }
        self.table("", self.about, rows, Some(self.most), report)
    }

    fn by_trace(
        &self,
        families: &BTreeMap<String, Vec<(String, Trace)>>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let mut rows = Vec::new();
        for (name, trace) in families.values().flatten() {
            let worst = |place: usize| trace.over_local[place].iter().copied().max_by(f64::total_cmp);
            rows.push((name.clone(), (0..CONTENDERS.len()).map(worst).collect::<Vec<_>>()));
        }
        let ours = rows.iter().filter_map(|(_, figures)| figures[0]).max_by(f64::total_cmp);
        if let Some(ours) = ours {
            let target = Some(Target::AtMost(OVER_LOCAL));
            report.figure(format!("{}/worst over always-local", self.name), one(ours), "×", target)?;
        }
        let about = "the same over always-local, in the worst workload of each trace";
        self.table(".worst", about, rows, Some(OVER_LOCAL), report)
    }

    fn table(
        &self,
        suffix: &str,
        about: &str,
        rows: Vec<(String, Vec<Option<f64>>)>,
        target: Option<f64>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        report.table(Table {
            name: format!("{}{suffix}", self.name),
            about: about.to_owned(),
            columns: CONTENDERS.map(|(name, _)| name.to_owned()).to_vec(),
            rows,
            target,
            most: 2.0,
        })
    }
}

fn hedged(trial: &Trial, hedge: Hedge) -> Outcome {
    let mut settings = trial.settings();
    settings.hedge = hedge;
    trial.play_with(settings)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn one(value: f64) -> Series {
    [value].into_iter().collect()
}
