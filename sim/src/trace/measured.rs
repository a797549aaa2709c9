//! Measurement campaigns with a date on each line: the Irish 5G data set, and Starlink on the Autobahn.

use std::time::Duration;

use outboard_core::Bandwidth;

use super::calendar;
use super::error::TraceError;
use super::lines::{Line, Source};
use super::steps::{LinkStep, LinkTrace, TraceEnd};

const DATE: &str = "a date with a time of day";

/// Samples of the same moment, to be averaged, and the steps before them.
struct Samples<'a> {
    source: Source<'a>,
    steps: Vec<LinkStep>,
    start: Option<u64>,
    at: u64,
    up: Mean,
    down: Mean,
    round_trip: Mean,
}

#[derive(Default)]
struct Mean {
    sum: u128,
    count: u32,
}

impl LinkTrace {
    /// Reads the columns of G-NetTrack Pro as the Irish 5G data set has them (Raca et al., MMSys 2020): `Timestamp`, and
    /// `DL_bitrate` and `UL_bitrate` in kbit/s, and `PINGAVG` in ms, which is `-` on most lines.
    ///
    /// The dates have whole seconds and some come twice: lines of one second are averaged. A line holds until the next one,
    /// also where the app did not write for a while. The last one holds for a second; at the end the trace begins again.
    /// The rates are what the phone did transfer: near zero while it had nothing to do, above all upwards.
    ///
    /// # Errors
    ///
    /// A header without date or rates, the line that is not as it says, or that goes back in time.
    pub fn from_g_net_track(file: &str, text: &str) -> Result<Self, TraceError> {
        let source = Source::new(file, text);
        let (header, lines) = source.headed()?;
        let time = header.need("the time (`Timestamp`)", |name| name == "timestamp")?;
        let down = header.need("the rate down (`DL_bitrate`)", |name| name == "dl_bitrate")?;
        let up = header.need("the rate up (`UL_bitrate`)", |name| name == "ul_bitrate")?;
        let ping = header.find(|name| name == "pingavg");
        let mut samples = Samples::new(source);
        for line in lines {
            samples.begin(line, line.field(time))?;
            samples.up.add(line.figure(line.field(up), 3, "a rate in kbit/s")?);
            samples.down.add(line.figure(line.field(down), 3, "a rate in kbit/s")?);
            match ping.map_or("-", |ping| line.field(ping)) {
                "" | "-" => {}
                field => samples.round_trip.add(line.time(field, 6, "a round trip in ms")?),
            }
        }
        samples.finish()
    }

    /// Reads the throughput of "Starlink on the Autobahn" (Laniewski et al., IEEE OJCOMS 2025): `timestamp_start_dl`, and
    /// `download_mbps` and `upload_mbps` in Mbit/s.
    ///
    /// A line holds from its date until the next one, the last one for a second; at the end the trace begins again.
    ///
    /// # Errors
    ///
    /// A header without date or rates, the line that is not as it says, or that goes back in time.
    pub fn from_starlink(file: &str, text: &str) -> Result<Self, TraceError> {
        let source = Source::new(file, text);
        let (header, lines) = source.headed()?;
        let time = header.need("the time (`timestamp_…`)", |name| name.starts_with("timestamp"))?;
        let down = header.need("the rate down (`download_mbps`)", |name| name == "download_mbps")?;
        let up = header.need("the rate up (`upload_mbps`)", |name| name == "upload_mbps")?;
        let mut samples = Samples::new(source);
        for line in lines {
            samples.begin(line, line.field(time))?;
            samples.up.add(line.figure(line.field(up), 6, "a rate in Mbit/s")?);
            samples.down.add(line.figure(line.field(down), 6, "a rate in Mbit/s")?);
        }
        samples.finish()
    }
}

impl<'a> Samples<'a> {
    fn new(source: Source<'a>) -> Self {
        let (up, down, round_trip) = (Mean::default(), Mean::default(), Mean::default());
        Self { source, steps: Vec::new(), start: None, at: 0, up, down, round_trip }
    }

    /// A line of that date; what comes before it is a step, unless it is of the same moment.
    fn begin(&mut self, line: Line<'_>, date: &str) -> Result<(), TraceError> {
        let date = calendar::nanoseconds(date).ok_or_else(|| line.no_figure(date, DATE))?;
        let start = *self.start.get_or_insert(date);
        let at = date.checked_sub(start).filter(|&at| at >= self.at).ok_or_else(|| line.backwards())?;
        if at > self.at {
            self.step()?;
            self.at = at;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), TraceError> {
        let step = LinkStep {
            at: Duration::from_nanos(self.at),
            round_trip: self.round_trip.take().map(Duration::from_nanos),
            up: self.up.take().map(Bandwidth::from_bits_per_second),
            down: self.down.take().map(Bandwidth::from_bits_per_second),
            loss: None,
        };
        self.source.push(&mut self.steps, step)
    }

    fn finish(mut self) -> Result<LinkTrace, TraceError> {
        if self.start.is_none() {
            return Err(self.source.empty());
        }
        self.step()?;
        let duration = Duration::from_nanos(self.at) + Duration::from_secs(1);
        self.source.trace(self.steps, duration, TraceEnd::Loop)
    }
}

impl Mean {
    fn add(&mut self, value: u64) {
        self.sum += u128::from(value);
        self.count += 1;
    }

    /// What was added, on average; it is empty afterwards.
    fn take(&mut self) -> Option<u64> {
        let taken = std::mem::take(self);
        // Not more than the largest that was added.
        taken.sum.checked_div(u128::from(taken.count)).map(|mean| mean as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_second_are_averaged_and_pings_are_sparse() {
        let text = "Timestamp,NetworkMode,RSRP,DL_bitrate,UL_bitrate,PINGAVG\n\
                    2019.12.16_12.27.05,5G,-100,30,8,-\n\
                    2019.12.16_12.27.06,5G,-100,20,8,-\n\
                    2019.12.16_12.27.06,5G,-100,10,2,81\n\
                    2019.12.16_12.27.09,5G,-99,0,0,-\n";
        let trace = LinkTrace::from_g_net_track("5g.csv", text).unwrap();
        let seen: Vec<_> = trace
            .steps()
            .iter()
            .map(|step| (step.at.as_secs(), step.down.unwrap(), step.round_trip))
            .collect();
        let kilobits = Bandwidth::from_kilobits_per_second;
        let ping = Some(Duration::from_millis(81));
        assert_eq!(seen, [(0, kilobits(30), None), (1, kilobits(15), ping), (4, kilobits(0), None)]);
        assert_eq!(trace.duration(), Duration::from_secs(5));
    }

    #[test]
    fn starlink_has_fractions_of_seconds() {
        let text = "timestamp_start_dl,download_mbps,upload_mbps,speed_kmh\n\
                    2024-04-19 16:23:00.001039872,17.5,12.25,36.2\n\
                    2024-04-19 16:23:01.001035008,18,0.0,33.5\n";
        let trace = LinkTrace::from_starlink("s.csv", text).unwrap();
        assert_eq!(trace.steps()[1].at, Duration::from_nanos(999_995_136));
        assert_eq!(trace.steps()[0].up, Some(Bandwidth::from_kilobits_per_second(12_250)));
        assert_eq!(trace.steps()[1].up, Some(Bandwidth::ZERO));
    }

    #[test]
    fn errors_name_file_and_line() {
        let read = |text: &str| LinkTrace::from_g_net_track("5g.csv", text).unwrap_err().to_string();
        assert!(read("a,b\n").contains("5g.csv, line 1: the header has no column for the time"));
        let header = "Timestamp,DL_bitrate,UL_bitrate\n";
        let early = format!("{header}2019.12.16_12.27.05,1,1\n2019.12.16_12.27.04,1,1\n");
        assert!(read(&early).starts_with("5g.csv, line 3: it is earlier"), "{}", read(&early));
        let odd = format!("{header}yesterday,1,1\n");
        assert_eq!(read(&odd), "5g.csv, line 2: `yesterday` is not a date with a time of day");
        assert!(read(header).contains("it has no samples"));
    }
}
