//! What a device drew, as a power monitor recorded it.

use std::time::Duration;

use outboard_core::{Energy, Power, Timestamp};

use super::error::TraceError;
use super::lines::{Header, Line, Source};
use super::steps::{MAX_STEPS, nanos};

/// The Power Monitor takes a sample each 200 µs (Monsoon Solutions: 5 kHz); no export has more.
const CLOSEST_SAMPLES: u64 = 200_000;

/// Power over time: each sample holds until the next one. At the end it begins again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowerTrace {
    /// Nanoseconds, and microwatts from there.
    samples: Vec<(u64, u64)>,
    /// Microwatts × nanoseconds before each sample.
    before: Vec<u128>,
    total: u128,
    period: u64,
}

/// The voltage of a file that has only currents, in microvolts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voltage(u64);

/// How a file says the power.
enum Columns {
    Power { index: usize, scale: i64 },
    Current { current: usize, scale: i64, voltage: Option<(usize, i64)> },
}

impl Voltage {
    /// From microvolts.
    pub const fn from_microvolts(microvolts: u64) -> Self {
        Self(microvolts)
    }

    /// From millivolts.
    pub const fn from_millivolts(millivolts: u64) -> Self {
        Self(millivolts.saturating_mul(1_000))
    }

    /// In microvolts.
    pub const fn as_microvolts(self) -> u64 {
        self.0
    }
}

impl PowerTrace {
    /// From samples in order, the first at zero, that last until `duration`; `None` if they are not like this.
    pub fn new(samples: &[(Duration, Power)], duration: Duration) -> Option<Self> {
        let samples: Vec<_> = samples.iter().map(|(at, power)| (nanos(*at), power.as_microwatts())).collect();
        let in_order = samples.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let (first, last) = (samples.first()?, samples.last()?);
        let fits = in_order && first.0 == 0 && last.0 < nanos(duration) && samples.len() <= MAX_STEPS;
        fits.then(|| Self::of(samples, nanos(duration)))
    }

    /// Reads what Monsoon's Power Monitor writes: PowerTool's export (`Time (s)`, `Main Avg Current (mA)`, `Main Avg Voltage
    /// (V)`, or `Main Avg Power (mW)`) and PyMonsoon's (`Time(ms)` or `Time(s)`, `Main(mA)`, `Main Voltage(V)`), with
    /// whatever other columns. Units are those of the header: s, ms or µs; A, mA or µA; W, mW or µW; V or mV.
    ///
    /// The time of PyMonsoon's files is in seconds even where its header said ms: samples that were closer to each other
    /// than half of the 200 µs at which the monitor takes them are read as seconds. Samples of one moment count once, the last one. A current below
    /// zero (charging, or noise around nothing) counts as zero. `voltage` stands in where the file has none.
    ///
    /// # Errors
    ///
    /// A header without time or current, or without a voltage when none is given; the line that is not as it says.
    pub fn from_monsoon(file: &str, text: &str, voltage: Option<Voltage>) -> Result<Self, TraceError> {
        let source = Source::new(file, text);
        let (header, lines) = source.headed()?;
        let time = header.need("the time (`Time (s)`)", |name| name.starts_with("time"))?;
        let unit = unit(&header.names[time]);
        let power = match unit {
            "ms" => 6,
            "us" | "µs" => 3,
            _ => 9,
        };
        let columns = Columns::find(&header, voltage)?;
        // The time as the header says, the same as seconds, and the power.
        let mut samples: Vec<(u64, u64, u64)> = Vec::new();
        for line in lines {
            let field = line.field(time);
            let at = line.time(field, power, "a time")?;
            if samples.last().is_some_and(|last| at < last.0) {
                return Err(line.backwards());
            }
            let seconds = line.figure(field, 9, "a time").unwrap_or(u64::MAX);
            source.push(&mut samples, (at, seconds, columns.microwatts(line, voltage)?))?;
        }
        let span = samples.last().map_or(0, |last| last.0 - samples[0].0);
        let too_close = span / (samples.len() as u64).max(2) < CLOSEST_SAMPLES / 2;
        let in_seconds = unit == "ms" && too_close;
        let at = |(said, seconds, power)| (if in_seconds { seconds } else { said }, power);
        Self::of_lines(source, samples.into_iter().map(at))
    }

    /// How long it lasts before it begins again.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.period)
    }

    /// What is drawn at a moment.
    pub fn power(&self, at: Timestamp) -> Power {
        Power::from_microwatts(self.samples[self.index(at.as_nanos() % self.period)].1)
    }

    /// What was drawn between two moments, to the microjoule below.
    pub fn energy(&self, from: Timestamp, to: Timestamp) -> Energy {
        let drawn = self.drawn(to.as_nanos()).saturating_sub(self.drawn(from.as_nanos()));
        Energy::from_microjoules(u64::try_from(drawn / 1_000_000_000).unwrap_or(u64::MAX))
    }

    /// What it draws on average.
    pub fn mean(&self) -> Power {
        Power::from_microwatts(u64::try_from(self.total / u128::from(self.period)).unwrap_or(u64::MAX))
    }

    /// The first moment at which that much has been drawn since another one; `None` if it never has.
    pub fn spent(&self, from: Timestamp, energy: Energy) -> Option<Timestamp> {
        if energy == Energy::ZERO {
            return Some(from);
        }
        let target = self.drawn(from.as_nanos()) + u128::from(energy.as_microjoules()) * 1_000_000_000;
        let laps = (target - 1).checked_div(self.total)?;
        let rest = target - laps * self.total;
        let index = self.before.partition_point(|&before| before < rest) - 1;
        let (at, microwatts) = self.samples[index];
        let within = (rest - self.before[index]).div_ceil(u128::from(microwatts.max(1)));
        let nanos = laps * u128::from(self.period) + u128::from(at) + within;
        u64::try_from(nanos).ok().map(Timestamp::from_nanos)
    }

    fn of_lines(source: Source<'_>, samples: impl Iterator<Item = (u64, u64)>) -> Result<Self, TraceError> {
        let mut start = None;
        let mut apart: Vec<(u64, u64)> = Vec::new();
        for (at, microwatts) in samples {
            let at = at.saturating_sub(*start.get_or_insert(at));
            match apart.last_mut() {
                Some(last) if at <= last.0 => last.1 = microwatts,
                _ => apart.push((at, microwatts)),
            }
        }
        // The last sample says when the one before it is over.
        match apart.pop() {
            Some((end, _)) if end > 0 => Ok(Self::of(apart, end)),
            _ => Err(source.empty()),
        }
    }

    fn of(samples: Vec<(u64, u64)>, period: u64) -> Self {
        let ends = samples.iter().skip(1).map(|sample| sample.0).chain([period]);
        let mut total = 0;
        let mut before = Vec::with_capacity(samples.len());
        for ((at, microwatts), end) in samples.iter().zip(ends) {
            before.push(total);
            total += u128::from(*microwatts) * u128::from(end - at);
        }
        Self { samples, before, total, period }
    }

    fn index(&self, offset: u64) -> usize {
        self.samples.partition_point(|sample| sample.0 <= offset) - 1
    }

    /// Microwatts × nanoseconds since zero. Saturates, as energy does.
    fn drawn(&self, until: u64) -> u128 {
        let (laps, offset) = (until / self.period, until % self.period);
        let index = self.index(offset);
        let (at, microwatts) = self.samples[index];
        let within = self.before[index] + u128::from(microwatts) * u128::from(offset - at);
        u128::from(laps).saturating_mul(self.total).saturating_add(within)
    }
}

impl Columns {
    fn find(header: &Header<'_>, voltage: Option<Voltage>) -> Result<Self, TraceError> {
        let main = |name: &str| name.starts_with("main") && !name.contains("max") && !name.contains("min");
        if let Some(index) = header.find(|name| main(name) && matches!(unit(name), "w" | "mw" | "uw" | "µw"))
        {
            return Ok(Self::Power { index, scale: scale(unit(&header.names[index])) });
        }
        let current = |name: &str| main(name) && matches!(unit(name), "a" | "ma" | "ua" | "µa");
        let current = header.need("the main current (`Main Avg Current (mA)`)", current)?;
        let volts = header.find(|name| main(name) && matches!(unit(name), "v" | "mv"));
        let volts = volts.map(|index| (index, scale(unit(&header.names[index]))));
        if volts.is_none() && voltage.is_none() {
            return Err(header.lacks("the main voltage (`Main Avg Voltage (V)`), and none was given"));
        }
        Ok(Self::Current { current, scale: scale(unit(&header.names[current])), voltage: volts })
    }

    fn microwatts(&self, line: Line<'_>, stated: Option<Voltage>) -> Result<u64, TraceError> {
        match *self {
            Self::Power { index, scale } => figure(line, index, scale, "a power"),
            Self::Current { current, scale, voltage } => {
                let microamperes = figure(line, current, scale, "a current")?;
                let microvolts = match voltage {
                    Some((index, scale)) => figure(line, index, scale, "a voltage")?,
                    None => stated.map_or(0, |voltage| voltage.0),
                };
                let product = u128::from(microamperes) * u128::from(microvolts) / 1_000_000;
                Ok(u64::try_from(product).unwrap_or(u64::MAX))
            }
        }
    }
}

/// A figure in micro-units; below zero is zero.
fn figure(line: Line<'_>, index: usize, scale: i64, expected: &'static str) -> Result<u64, TraceError> {
    let field = line.field(index);
    match field.strip_prefix('-') {
        Some(size) => line.figure(size, scale, expected).map(|_| 0),
        None => line.figure(field, scale, expected),
    }
}

/// What is in the parentheses of a column's name.
fn unit(name: &str) -> &str {
    name.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(unit, _)| unit.trim())
}

/// The power of ten that a unit has of its millionth.
fn scale(unit: &str) -> i64 {
    match unit.chars().next() {
        Some('m') => 3,
        Some('u' | 'µ') => 0,
        _ => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(milliseconds)
    }

    fn read(text: &str) -> PowerTrace {
        PowerTrace::from_monsoon("p.csv", text, None).unwrap()
    }

    #[test]
    fn the_exports_of_the_power_monitor_are_told_apart_by_their_headers() {
        let tool = read(
            "Time (s),Main Avg Current (mA),Main Max Current (mA),Main Avg Voltage (V)\n0,100,900,4\n1,300,900,4\n2,0,0,4\n",
        );
        let python =
            read("Time(ms),Main(mA),USB(mA),Main Voltage(V)\n10,100,7,4\n1010,300,7,4\n2010,0,7,4\n");
        let power = read("Time (s),Main Avg Power (mW)\n0,400\n1,1200\n2,0\n");
        assert_eq!((&tool, &python), (&power, &power));
        assert_eq!(tool.power(at(500)), Power::from_milliwatts(400));
        assert_eq!(tool.energy(at(500), at(1_500)), Energy::from_millijoules(200 + 600));
        assert_eq!(tool.mean(), Power::from_milliwatts(800));
        // It begins again after two seconds.
        assert_eq!(tool.energy(at(1_500), at(2_500)), Energy::from_millijoules(600 + 200));
    }

    #[test]
    fn milliseconds_that_no_monitor_can_take_are_seconds() {
        let text = "Time(ms),Main(mA),Main Voltage(V)\n0,100,4\n0.0002,100,4\n0.0004,100,4\n0.0006,0,4\n";
        assert_eq!(read(text).duration(), Duration::from_micros(600));
    }

    #[test]
    fn a_voltage_is_stated_where_there_is_none_and_currents_below_zero_are_none() {
        let text = "Time (s),Main Avg Current (mA)\n0,-3.5\n1,1000\n2,0\n";
        let trace = PowerTrace::from_monsoon("p.csv", text, Some(Voltage::from_millivolts(3_700))).unwrap();
        assert_eq!(trace.energy(at(0), at(2_000)), Energy::from_millijoules(3_700));
        let error = PowerTrace::from_monsoon("p.csv", text, None).unwrap_err().to_string();
        assert!(error.contains("the main voltage") && error.contains("none was given"), "{error}");
    }

    #[test]
    fn errors_name_file_and_line() {
        let read = |text: &str| PowerTrace::from_monsoon("p.csv", text, None).unwrap_err().to_string();
        let header = "Time (s),Main Avg Power (mW)\n";
        assert_eq!(read(&format!("{header}0,1\n1,?\n")), "p.csv, line 3: `?` is not a power");
        assert!(read(&format!("{header}2,1\n1,1\n")).contains("line 3: it is earlier"));
        assert!(
            read(&format!("{header}2,1\n")).contains("p.csv: it has no samples"),
            "one sample covers no time"
        );
    }

    proptest! {
        #[test]
        fn energy_is_spent_at_the_first_moment_that_covers_it(
            samples in prop::collection::vec((1..5_000_u64, 0..3_000_000_u64), 1..20),
            from in 0..20_000_000_000_u64,
            energy in 1..10_000_000_u64,
        ) {
            let mut now = 0;
            let samples: Vec<_> = samples
                .into_iter()
                .map(|(gap, power)| {
                    let at = Duration::from_millis(now);
                    now += gap;
                    (at, Power::from_microwatts(power))
                })
                .collect();
            let trace = PowerTrace::new(&samples, Duration::from_millis(now)).unwrap();
            let (from, energy) = (Timestamp::from_nanos(from), Energy::from_microjoules(energy));
            match trace.spent(from, energy) {
                None => prop_assert_eq!(trace.mean(), Power::ZERO),
                Some(at) => {
                    prop_assert!(trace.energy(from, at) >= energy);
                    let before = Timestamp::from_nanos(at.as_nanos() - 1);
                    prop_assert!(trace.energy(from, before) < energy);
                }
            }
        }
    }
}
