//! What a device draws at a load of its processors.

use outboard_core::{Frequency, Power};

use crate::device::{CpuCluster, CpuProfile, Figure};

/// Power of the whole device over the utilisation of its processors and, where that is known, their frequency.
///
/// It has up to three forms, and answers with the one that knows most about the question: the figures of each core at each
/// frequency if a frequency is asked for, else power at several utilisations, else the straight line from idle to busy,
/// which is MAUI's (section 4.1 of the paper).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CpuModel {
    /// Watts at nothing and at everything. A fitted line may begin below zero; no answer does.
    line: Option<(f64, f64)>,
    /// Utilisation and watts in rising order; empty or at least two.
    curve: Vec<(f64, f64)>,
    cores: Option<u16>,
    table: Option<Table>,
}

/// Cores at their frequencies, in watts.
#[derive(Clone, Debug, PartialEq)]
struct Table {
    idle: f64,
    active: f64,
    clusters: Vec<Cluster>,
}

#[derive(Clone, Debug, PartialEq)]
struct Cluster {
    cores: f64,
    shared: f64,
    /// Hertz and watts of a busy core above idle, in rising order; never empty.
    speeds: Vec<(f64, f64)>,
}

impl CpuModel {
    /// The model of a device's processors, with as much as its profile has.
    pub fn new(profile: &CpuProfile) -> Self {
        let watts = |figure: &Figure<Power>| figure.value.as_watts_f64();
        let idle = profile.idle.as_ref().map(watts);
        let cluster = |cluster: &CpuCluster| Cluster {
            cores: f64::from(cluster.cores),
            shared: cluster.shared.as_ref().map_or(0.0, watts),
            speeds: (cluster.speeds.iter())
                .map(|speed| (speed.frequency.as_hertz() as f64, watts(&speed.core)))
                .collect(),
        };
        let clusters = profile.clusters.iter().filter(|cluster| !cluster.speeds.is_empty());
        let clusters: Vec<_> = clusters.map(cluster).collect();
        let table = idle.filter(|_| !clusters.is_empty()).map(|idle| Table {
            idle,
            active: profile.active.as_ref().map_or(0.0, watts),
            clusters,
        });
        let levels = profile.levels.iter().map(|level| (level.utilisation, watts(&level.power)));
        Self {
            line: idle.zip(profile.busy.as_ref().map(watts)),
            curve: if profile.levels.len() > 1 { levels.collect() } else { Vec::new() },
            cores: profile.cores,
            table,
        }
    }

    /// A straight line between watts at nothing and at everything.
    pub(crate) fn line(idle: f64, busy: f64) -> Self {
        Self { line: Some((idle, busy)), ..Self::default() }
    }

    /// Straight pieces between levels, in rising order; at least two.
    pub(crate) fn curve(levels: Vec<(f64, f64)>) -> Self {
        Self { curve: levels, ..Self::default() }
    }

    /// One kind of cores, whose watts above idle, all of them busy, are known at some frequencies, in rising order.
    pub(crate) fn speeds(idle: f64, speeds: Vec<(f64, f64)>) -> Self {
        let clusters = vec![Cluster { cores: 1.0, shared: 0.0, speeds }];
        Self { table: Some(Table { idle, active: 0.0, clusters }), ..Self::default() }
    }

    /// The whole device with that share of its processors in use, 0 to 1, spread evenly over all cores; `None` where the
    /// profile does not know.
    ///
    /// Between two levels, or two frequencies, power is taken to be straight. Beyond the outermost levels the outermost
    /// pieces go on; beyond its slowest and fastest frequency a cluster stays at these. Without a frequency, a device of which
    /// only the cores are known runs at its fastest.
    pub fn power(&self, utilisation: f64, frequency: Option<Frequency>) -> Option<Power> {
        let utilisation = if utilisation.is_finite() { utilisation.clamp(0.0, 1.0) } else { return None };
        let table = || self.table.as_ref().map(|table| table.watts(utilisation, frequency));
        let watts = match frequency {
            Some(_) => table().or_else(|| self.watts(utilisation)),
            None => self.watts(utilisation).or_else(table),
        };
        watts.map(Power::from_watts_f64)
    }

    /// The whole device with one core busy and the others idle: the fastest kind of core, where there are several.
    pub fn one_core(&self, frequency: Option<Frequency>) -> Option<Power> {
        let table = || self.table.as_ref().map(|table| table.one_core(frequency)).map(Power::from_watts_f64);
        let share = || self.power(1.0 / f64::from(self.cores?.max(1)), None);
        // A curve is of the whole device, by a meter, and a line may be; a table is the only one that tells cores apart.
        if self.curve.is_empty() { table().or_else(share) } else { share().or_else(table) }
    }

    fn watts(&self, utilisation: f64) -> Option<f64> {
        if self.curve.len() > 1 {
            return Some(between(&self.curve, utilisation));
        }
        self.line.map(|(idle, busy)| idle + (busy - idle) * utilisation)
    }
}

impl Table {
    fn watts(&self, utilisation: f64, frequency: Option<Frequency>) -> f64 {
        let all: f64 = self.clusters.iter().map(|cluster| cluster.cores).sum();
        // As if cores ran one after another as far as they can: how much they overlap, nobody told.
        let any = |cores: f64| (utilisation * cores).min(1.0);
        let cluster = |cluster: &Cluster| {
            any(cluster.cores) * cluster.shared + utilisation * cluster.cores * cluster.core(frequency)
        };
        self.idle + any(all) * self.active + self.clusters.iter().map(cluster).sum::<f64>()
    }

    fn one_core(&self, frequency: Option<Frequency>) -> f64 {
        let fastest = |cluster: &&Cluster| cluster.speeds.last().map_or(0.0, |speed| speed.0);
        let cluster = self.clusters.iter().max_by(|one, other| fastest(one).total_cmp(&fastest(other)));
        self.idle + self.active + cluster.map_or(0.0, |cluster| cluster.shared + cluster.core(frequency))
    }
}

impl Cluster {
    /// What a busy core adds.
    fn core(&self, frequency: Option<Frequency>) -> f64 {
        let ends = self.speeds.first().zip(self.speeds.last());
        let Some((slowest, fastest)) = ends else { return 0.0 };
        match frequency.map(|frequency| frequency.as_hertz() as f64) {
            Some(hertz) if hertz <= slowest.0 => slowest.1,
            Some(hertz) if hertz < fastest.0 => between(&self.speeds, hertz),
            _ => fastest.1,
        }
    }
}

/// The point of that place on the straight pieces through these points, in rising order; the outermost pieces go on.
fn between(points: &[(f64, f64)], place: f64) -> f64 {
    let after = points.partition_point(|point| point.0 < place).clamp(1, points.len().max(2) - 1);
    let (Some(low), Some(high)) = (points.get(after - 1), points.get(after)) else {
        return points.first().map_or(f64::NAN, |point| point.1);
    };
    low.1 + (high.1 - low.1) * (place - low.0) / (high.0 - low.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{CpuLevel, CpuSpeed, DeviceProfile, FigureQuality};

    fn figure(milliwatts: u64) -> Figure<Power> {
        let value = Power::from_milliwatts(milliwatts);
        Figure { value, quality: FigureQuality::Measured, source: "a meter".to_owned() }
    }

    fn megahertz(megahertz: u64) -> Option<Frequency> {
        Some(Frequency::from_kilohertz(megahertz * 1_000))
    }

    fn milliwatts(milliwatts: u64) -> Option<Power> {
        Some(Power::from_milliwatts(milliwatts))
    }

    /// Two kinds of cores: 100 and 200 mW at 1 and 2 GHz, and one of 400 mW at 3 GHz.
    fn phone() -> CpuProfile {
        let speed = |megahertz: u64, power| CpuSpeed {
            frequency: Frequency::from_kilohertz(megahertz * 1_000),
            core: figure(power),
        };
        let small = CpuCluster::new(3, Some(figure(20)), vec![speed(1_000, 100), speed(2_000, 200)]);
        let large = CpuCluster::new(1, None, vec![speed(3_000, 400)]);
        CpuProfile {
            cores: Some(4),
            idle: Some(figure(50)),
            active: Some(figure(10)),
            clusters: vec![small, large],
            ..CpuProfile::default()
        }
    }

    #[test]
    fn two_ends_make_a_line() {
        let pi = CpuModel::new(&DeviceProfile::built_in("raspberry-pi-4b").expect("built in").cpu);
        assert_eq!(pi.power(0.5, None), milliwatts(2_290 + 4_530 / 2));
        assert_eq!(pi.power(7.0, megahertz(1_000)), milliwatts(6_820), "no more than all");
        assert_eq!(pi.one_core(None), Some(Power::from_microwatts(2_290_000 + 4_530_000 / 4)));
        assert_eq!(pi.power(f64::NAN, None), None);
    }

    #[test]
    fn levels_in_between_bend_the_line() {
        let level = |utilisation, power| CpuLevel { utilisation, power: figure(power) };
        let mut cpu = CpuProfile { idle: Some(figure(9)), busy: Some(figure(99)), ..CpuProfile::default() };
        cpu.levels = vec![level(0.2, 100), level(0.4, 300), level(0.8, 400)];
        let model = CpuModel::new(&cpu);
        let at = |utilisation| model.power(utilisation, None);
        assert_eq!((at(0.2), at(0.3), at(0.6)), (milliwatts(100), milliwatts(200), milliwatts(350)));
        assert_eq!(at(1.0), milliwatts(450), "the last piece goes on");
        assert_eq!(at(0.0), milliwatts(0), "and the first one, but not below nothing");
        assert_eq!(model.one_core(None), None, "nobody said how many cores");
    }

    #[test]
    fn clusters_have_their_own_frequencies_and_what_they_share() {
        let model = CpuModel::new(&phone());
        assert_eq!(model.power(0.0, megahertz(1_500)), milliwatts(50));
        // Everything shared once, three small cores at 1.5 GHz, and the large one, which cannot go slower.
        assert_eq!(model.power(1.0, megahertz(1_500)), milliwatts(50 + 10 + 20 + 3 * 150 + 400));
        assert_eq!(model.power(1.0, None), milliwatts(50 + 10 + 20 + 3 * 200 + 400));
        // A tenth of four cores keeps the device awake for four tenths of the time.
        assert_eq!(model.power(0.1, megahertz(1)), milliwatts(50 + 4 + 6 + 30 + 40));
        assert_eq!(model.one_core(megahertz(2_000)), milliwatts(50 + 10 + 400));
    }

    #[test]
    fn what_the_profile_does_not_know_the_model_does_not_invent() {
        assert_eq!(CpuModel::default().power(0.5, None), None);
        assert_eq!(CpuModel::new(&CpuProfile { idle: None, ..phone() }).power(0.5, megahertz(1)), None);
        let idle_only = CpuProfile { clusters: Vec::new(), ..phone() };
        assert_eq!(CpuModel::new(&idle_only).power(0.5, None), None);
    }
}
