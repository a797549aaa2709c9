//! Probes of a machine whose power is known, with a meter that is made of files.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::Duration;

use outboard_core::{Frequency, Power, Timestamp};
use outboard_profiler::{CpuModel, DeviceProfile, FigureQuality};
use tempfile::TempDir;

use super::*;
use crate::machine::Load;

/// A machine of two cores in virtual time. Its board's chip tells, through a file, what the load makes it draw.
struct Board {
    folder: TempDir,
    time: Duration,
    load: Option<Load>,
    power: fn(f64) -> f64,
    /// What it says its utilisation is, for a load.
    seen: fn(f64) -> f64,
    asked: Cell<bool>,
    clocked: bool,
}

impl Board {
    /// Draws that many watts at a utilisation.
    fn new(power: fn(f64) -> f64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let asked = Cell::new(false);
        let mut board = Self {
            folder,
            time: Duration::ZERO,
            load: None,
            power,
            seen: |load| load,
            asked,
            clocked: false,
        };
        board.put("name", "ina226");
        board.put("in1_label", "VDD_IN");
        board.stop();
        board
    }

    fn put(&self, file: &str, text: &str) {
        let chip = self.folder.path().join("class/hwmon/hwmon7");
        fs::create_dir_all(&chip).expect("it can be made");
        fs::write(chip.join(file), text).expect("it can be written");
    }

    fn used(&self) -> f64 {
        self.load.map_or(0.0, |load| load.duty * f64::from(load.threads) / 2.0)
    }

    fn draw(&self) {
        let watts = (self.power)(self.used());
        self.put("power1_input", &format!("{:.0}\n", watts * 1e6));
    }

    /// Probes it, and gives the profile and what was told.
    fn probe(&mut self, change: impl FnOnce(&mut ProbeOptions)) -> Result<(DeviceProfile, String), String> {
        let mut options = ProbeOptions { sysfs: self.folder.path().to_owned(), ..ProbeOptions::default() };
        options.output = Some(self.folder.path().join("probed.toml"));
        change(&mut options);
        let mut log = Vec::new();
        run(&options, self, &mut log).map_err(|failure| failure.to_string())?;
        let text = fs::read_to_string(options.output.expect("set above")).expect("it was written");
        let profile =
            DeviceProfile::parse("probed.toml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        Ok((profile, String::from_utf8(log).expect("text")))
    }

    fn remove_meter(&self) {
        fs::remove_dir_all(self.folder.path().join("class")).expect("it was there");
    }
}

impl Machine for Board {
    fn cores(&self) -> u16 {
        2
    }

    fn name(&self) -> Option<String> {
        Some("Test Board".to_owned())
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.time.as_nanos() as u64)
    }

    fn pause(&mut self, time: Duration) {
        self.time += time;
    }

    fn start(&mut self, load: Load) {
        self.load = Some(load);
        self.draw();
    }

    fn stop(&mut self) {
        self.load = None;
        self.draw();
    }

    fn utilisation(&mut self) -> Option<f64> {
        self.asked.replace(true).then(|| (self.seen)(self.used()))
    }

    fn frequency(&self) -> Option<Frequency> {
        let fast = self.used() > 0.6;
        self.clocked.then(|| Frequency::from_kilohertz(if fast { 2_400_000 } else { 1_000_000 }))
    }

    fn reference_speed(&mut self) -> u64 {
        123_456_789
    }
}

fn close(found: Option<Power>, watts: f64) -> bool {
    found.is_some_and(|power| (power.as_watts_f64() - watts).abs() < 1e-3)
}

#[test]
fn a_machine_is_calibrated_by_a_meter_of_files() {
    // Draws little up to half load and much from there on.
    let mut board = Board::new(|used| if used <= 0.5 { 2.0 + used } else { 2.5 + 6.0 * (used - 0.5) });
    let (profile, told) = board.probe(|_| {}).expect("a profile");
    assert_eq!((profile.name.as_str(), profile.cpu.cores), ("Test Board", Some(2)));
    let model = CpuModel::new(&profile.cpu);
    for (used, watts) in [(0.0, 2.0), (0.25, 2.25), (0.5, 2.5), (0.75, 4.0), (1.0, 5.5)] {
        assert!(close(model.power(used, None), watts), "{used}: {:?}", model.power(used, None));
    }
    assert!(close(model.one_core(None), 2.5));
    let idle = profile.cpu.idle.expect("measured");
    assert_eq!(idle.quality, FigureQuality::Measured);
    assert!(idle.source.starts_with("outboard probe: rail VDD_IN of the chip ina226"), "{}", idle.source);
    assert!(told.contains("error at the loads it was fitted to: median 0.0 %, mean 0.0 %"), "{told}");
    assert!(told.contains("error at kinds of load it was not fitted to: median 0.0 %"), "{told}");
    // A straight line is off by more than a tenth here.
    let line = told.lines().find(|line| line.starts_with("the same of a straight line: median "));
    assert!(line.is_some_and(|line| !line.contains("median 0.")), "{told}");
    assert_eq!(profile.cpu.speed.map(|speed| speed.value), Some(123_456_789));
    assert!(profile.cpu.clusters.is_empty() && profile.battery.is_none(), "nobody told");
}

#[test]
fn frequencies_that_can_be_read_make_figures_by_frequency() {
    let mut board = Board::new(|used| 2.0 + used * if used > 0.6 { 8.0 } else { 2.0 });
    board.clocked = true;
    let (profile, told) = board.probe(|_| {}).expect("a profile");
    let [cluster] = profile.cpu.clusters.as_slice() else { panic!("{told}") };
    let [slow, fast] = cluster.speeds.as_slice() else { panic!("{cluster:?}") };
    assert_eq!(fast.frequency, Frequency::from_kilohertz(2_400_000));
    assert!(close(Some(slow.core.value), 1.0) && close(Some(fast.core.value), 4.0), "{cluster:?}");
}

#[test]
fn radio_and_battery_come_from_the_profile_that_is_named() {
    let mut board = Board::new(|used| 2.0 + used);
    let (profile, _) = board
        .probe(|options| {
            options.device_profile = Some("raspberry-pi-4b".into());
            options.name = Some("robot".to_owned());
        })
        .expect("a profile");
    let pi = DeviceProfile::built_in("raspberry-pi-4b").expect("built in");
    assert_eq!((profile.name.as_str(), &profile.radio), ("robot", &pi.radio));
    assert!(close(profile.cpu.busy.map(|busy| busy.value), 3.0));
    assert_eq!(profile.cpu.cores, Some(2), "those of this machine");
}

#[test]
fn a_rail_that_is_named_is_read_and_not_taken_for_the_device() {
    let mut board = Board::new(|used| 1.0 + used);
    board.put("in1_label", "VDD_CPU");
    let (profile, told) =
        board.probe(|options| options.rail = Some("VDD_CPU".to_owned())).expect("a profile");
    assert_eq!(profile.cpu.idle.map(|idle| idle.quality), Some(FigureQuality::Modelled));
    assert!(told.contains("one supply rail"), "{told}");
    let unknown = board.probe(|options| options.rail = Some("VDD_GPU".to_owned()));
    assert!(unknown.is_err_and(|error| error.contains("known are VDD_CPU")));
}

#[test]
fn without_a_meter_nothing_is_called_measured() {
    let mut board = Board::new(|_| 1.0);
    board.remove_meter();
    let pi = DeviceProfile::built_in("raspberry-pi-4b").expect("built in");
    // A load would put the files of the meter back.
    let (profile, told) =
        board.probe(|options| options.device_profile = Some("raspberry-pi-4b".into())).expect("a profile");
    assert!(told.contains("no power was measured") && told.contains("labelled `modelled`"), "{told}");
    assert!(told.contains("class/powercap: this machine"), "{told}");
    assert!(told.contains("that device has 4 cores, this machine 2"), "{told}");
    let busy = profile.cpu.busy.clone().expect("that of the Pi");
    assert_eq!(Some(busy.value), pi.cpu.busy.map(|busy| busy.value));
    assert!(
        busy.source.starts_with("not measured on this machine; profile Raspberry Pi 4B: "),
        "{}",
        busy.source
    );
    assert_eq!(profile.to_toml().matches(r#"quality = "measured""#).count(), 1, "its speed, with a clock");
    assert_eq!(profile.cpu.speed.map(|speed| speed.quality), Some(FigureQuality::Measured));
    let (mut profile, told) = board.probe(|_| {}).expect("a profile");
    assert!(told.contains("every figure is unknown"), "{told}");
    let mut unknown = DeviceProfile::default();
    unknown.name = "Test Board".to_owned();
    unknown.cpu.cores = Some(2);
    profile.cpu.speed = None;
    assert_eq!(profile, unknown);
}

#[test]
fn figures_that_make_no_model_are_no_profile() {
    let mut falling = Board::new(|used| 9.0 - used);
    let error = falling.probe(|_| {}).expect_err("it cannot be");
    assert!(error.contains("power falls with load"), "{error}");
    // Another program keeps the machine busy all the time.
    let mut busy = Board::new(|used| 2.0 + used);
    busy.seen = |_| 0.99;
    let error = busy.probe(|_| {}).expect_err("nothing can be learned");
    assert!(error.contains("the loads of all samples are alike"), "{error}");
    assert!(!Path::exists(&busy.folder.path().join("probed.toml")), "nothing was written");
}

#[test]
fn a_profile_that_could_not_be_read_is_not_written() {
    let mut board = Board::new(|used| 1e9 + used);
    let error = board.probe(|_| {}).expect_err("no device draws a gigawatt");
    assert_eq!(error, "the profile that was made: `cpu.idle.watts` must be a number from 0 to 1000000");
    assert!(!Path::exists(&board.folder.path().join("probed.toml")), "nothing was written");
}

#[test]
fn a_meter_that_fails_half_way_ends_the_probe() {
    let mut board = Board::new(|used| if used > 0.9 { f64::NAN } else { 2.0 });
    let error = board.probe(|_| {}).expect_err("the meter says NaN");
    assert!(error.starts_with("the meter failed while it was read: "), "{error}");
    assert_eq!(board.load, None, "and the load");
}
