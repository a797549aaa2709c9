//! Meters over trees of files such as Linux shows, whole and hostile.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A machine's files below a folder of the test's own.
struct Machine(TempDir);

impl Machine {
    fn new(files: &[(&str, &str)]) -> Self {
        let machine = Self(tempfile::tempdir().expect("a folder"));
        for (path, text) in files {
            machine.put(path, text);
        }
        machine
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root().join("class").join(path)
    }

    fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
}

fn second(seconds: u64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000)
}

fn energy(meter: &mut impl PowerMeter, seconds: u64) -> Option<u64> {
    let metered = meter.read(second(seconds)).unwrap_or_else(|error| panic!("{error}"));
    metered.map(|metered| metered.energy.as_microjoules())
}

fn laptop() -> Machine {
    Machine::new(&[
        ("powercap/intel-rapl/enabled", "1\n"),
        ("powercap/intel-rapl:0/name", "package-0\n"),
        ("powercap/intel-rapl:0/energy_uj", "999000\n"),
        ("powercap/intel-rapl:0/max_energy_range_uj", "1000000\n"),
        ("powercap/intel-rapl:0:0/name", "core\n"),
        ("powercap/intel-rapl:0:0/energy_uj", "5\n"),
        ("powercap/intel-rapl:0:1/name", "dram\n"),
        ("powercap/intel-rapl:0:1/energy_uj", "70\n"),
        ("powercap/intel-rapl:1/name", "psys\n"),
        ("powercap/intel-rapl:1/energy_uj", "1\n"),
        ("powercap/intel-rapl-mmio:0/name", "package-0\n"),
        ("powercap/intel-rapl-mmio:0/energy_uj", "7\n"),
    ])
}

#[test]
fn packages_and_memory_are_counted_once_and_past_the_end_of_the_counter() {
    let laptop = laptop();
    let mut rapl = Rapl::open(laptop.root()).expect("zones");
    assert_eq!(rapl.label().covers, Coverage::Processors);
    assert!(rapl.label().source.ends_with("powercap: package-0, dram"), "{}", rapl.label().source);
    assert_eq!(energy(&mut rapl, 1), None, "nothing to differ from");
    for (zone, counter) in [("0", "200"), ("0:0", "900"), ("0:1", "80"), ("1", "5000")] {
        laptop.put(&format!("powercap/intel-rapl:{zone}/energy_uj"), counter);
    }
    // 1000 µJ to the end of the range, 200 from there on, and 10 of memory.
    let metered = rapl.read(second(3)).expect("readable").expect("the second question");
    assert_eq!((metered.energy, metered.time), (Energy::from_microjoules(1_210), Duration::from_secs(2)));
    assert_eq!(metered.power(), Some(Power::from_microwatts(605)));
    assert_eq!(rapl.read(second(3)).expect("readable").and_then(Metered::power), None, "no time, no power");
}

#[test]
fn each_package_has_its_own_memory() {
    let zone = |zone: &str, name: &str| {
        [
            (format!("powercap/intel-rapl:{zone}/name"), name.to_owned()),
            (format!("powercap/intel-rapl:{zone}/energy_uj"), "0".to_owned()),
        ]
    };
    let files =
        [zone("0", "package-0"), zone("0:0", "dram"), zone("1", "package-1"), zone("1:0", "dram")].concat();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let rapl = Rapl::open(Machine::new(&files).root()).expect("zones");
    assert!(rapl.label().source.ends_with(": package-0, package-1, dram, dram"), "{}", rapl.label().source);
}

#[test]
fn psys_alone_is_the_whole_device() {
    let laptop = laptop();
    for zone in ["intel-rapl:0", "intel-rapl:0:1", "intel-rapl-mmio:0"] {
        fs::remove_dir_all(laptop.path(&format!("powercap/{zone}"))).expect("it was there");
    }
    let mut rapl = Rapl::open(laptop.root()).expect("zones");
    assert_eq!((rapl.label().covers, energy(&mut rapl, 0)), (Coverage::Device, None));
    laptop.put("powercap/intel-rapl:1/energy_uj", "42");
    assert_eq!(energy(&mut rapl, 1), Some(41));
}

#[test]
fn an_error_loses_no_energy() {
    let laptop = laptop();
    let mut rapl = Rapl::open(laptop.root()).expect("zones");
    assert_eq!(energy(&mut rapl, 0), None);
    laptop.put("powercap/intel-rapl:0:1/energy_uj", "broken");
    assert!(matches!(rapl.read(second(1)), Err(MeterError::BadContent { .. })));
    laptop.put("powercap/intel-rapl:0:1/energy_uj", "170");
    assert_eq!(energy(&mut rapl, 2), Some(100));
    laptop.put("powercap/intel-rapl:0/max_energy_range_uj", "500000");
    laptop.put("powercap/intel-rapl:0/energy_uj", "0");
    let path = laptop.path("powercap/intel-rapl:0/energy_uj");
    assert_eq!(rapl.read(second(3)), Err(MeterError::WentBack { path }));
    laptop.put("powercap/intel-rapl:0/energy_uj", "30");
    assert_eq!(energy(&mut rapl, 4), Some(30), "from there on");
}

fn phone(status: &str) -> Machine {
    Machine::new(&[
        ("power_supply/AC/type", "Mains\n"),
        ("power_supply/BAT0/type", "Battery\n"),
        ("power_supply/BAT0/status", status),
        ("power_supply/BAT0/current_now", "-500000\n"),
        ("power_supply/BAT0/voltage_now", "4000000\n"),
        ("power_supply/mouse/type", "Battery\n"),
        ("power_supply/mouse/scope", "Device\n"),
        ("power_supply/mouse/status", "Discharging\n"),
        ("power_supply/mouse/power_now", "1000000000\n"),
    ])
}

#[test]
fn a_battery_is_a_meter_whatever_the_sign_of_its_current() {
    let phone = phone("Discharging\n");
    let mut supply = PowerSupply::open(phone.root()).expect("a battery");
    assert_eq!((supply.label().covers, energy(&mut supply, 0)), (Coverage::Device, None));
    phone.put("power_supply/BAT0/current_now", "1500000");
    // From 2 W to 6 W, in two seconds.
    assert_eq!(energy(&mut supply, 2), Some(8_000_000));
    phone.put("power_supply/BAT0/power_now", "3000000");
    assert_eq!(energy(&mut supply, 3), Some(4_500_000));
}

#[test]
fn a_battery_on_its_charger_is_none() {
    for status in ["Charging", "Full"] {
        let phone = phone(status);
        let error = PowerSupply::open(phone.root()).expect_err("it does not discharge");
        let path = phone.path("power_supply/BAT0");
        assert_eq!(error, MeterError::NotDischarging { path, status: status.to_owned() });
        assert!(error.to_string().ends_with("unplug the charger"), "{error}");
    }
    let machine = phone("Discharging");
    let mut supply = PowerSupply::open(machine.root()).expect("a battery");
    machine.put("power_supply/BAT0/status", "Charging");
    assert!(matches!(supply.read(second(1)), Err(MeterError::NotDischarging { .. })));
    // Of two batteries one waits until the other is empty.
    machine.put("power_supply/BAT0/status", "Discharging");
    machine.put("power_supply/BAT1/type", "Battery");
    machine.put("power_supply/BAT1/status", "Not charging");
    let mut supply = PowerSupply::open(machine.root()).expect("one that discharges");
    assert_eq!((energy(&mut supply, 0), energy(&mut supply, 1)), (None, Some(2_000_000)));
}

fn board() -> Machine {
    Machine::new(&[
        ("hwmon/hwmon0/name", "cpu_thermal\n"),
        ("hwmon/hwmon0/in1_input", "1\n"),
        ("hwmon/hwmon0/curr1_input", "1\n"),
        ("hwmon/hwmon3/name", "ina3221\n"),
        ("hwmon/hwmon3/in1_label", "VDD_IN\n"),
        ("hwmon/hwmon3/in1_input", "5000\n"),
        ("hwmon/hwmon3/curr1_input", "900\n"),
        ("hwmon/hwmon3/in2_label", "VDD_CPU\n"),
        ("hwmon/hwmon3/in2_input", "5000\n"),
        ("hwmon/hwmon3/curr2_input", "300\n"),
        ("hwmon/hwmon3/curr3_input", "300\n"),
        // A voltage across a shunt, and a sum of currents: no rail.
        ("hwmon/hwmon3/in4_input", "2\n"),
        ("hwmon/hwmon3/curr4_input", "1200\n"),
    ])
}

#[test]
fn the_rail_that_feeds_the_board_is_found_by_name() {
    let board = board();
    let mut input = Hwmon::open(board.root()).expect("a rail");
    assert_eq!(input.label().source, "rail VDD_IN of the chip ina3221 in hwmon");
    assert_eq!((input.label().covers, energy(&mut input, 0)), (Coverage::Device, None));
    assert_eq!(energy(&mut input, 2), Some(9_000_000));
    let mut processors = Hwmon::rail(board.root(), "VDD_CPU").expect("a rail");
    assert_eq!((processors.label().covers, energy(&mut processors, 0)), (Coverage::Rail, None));
    let unknown = Hwmon::rail(board.root(), "VDD_GPU").expect_err("no such rail").to_string();
    assert!(unknown.ends_with("has a rail `VDD_GPU`: known are VDD_IN, VDD_CPU"), "{unknown}");
}

#[test]
fn several_rails_without_an_input_are_not_added_up() {
    let board = board();
    board.put("hwmon/hwmon3/in1_label", "VDD_GPU");
    let error = Hwmon::open(board.root()).expect_err("nobody knows which");
    assert!(error.to_string().ends_with("name one of VDD_GPU, VDD_CPU"), "{error}");
    board.put("hwmon/hwmon4/name", "ina226");
    board.put("hwmon/hwmon4/power1_input", "2500000");
    fs::remove_dir_all(board.path("hwmon/hwmon3")).expect("it was there");
    let mut only = Hwmon::open(board.root()).expect("the only rail");
    assert_eq!(only.label().source, "rail ina226/1 of the chip ina226 in hwmon");
    assert_eq!((energy(&mut only, 0), energy(&mut only, 1)), (None, Some(2_500_000)));
}

#[test]
fn a_recording_is_played_from_the_first_question_on() {
    let text = "seconds,watts\n# idle\n10,2\n\n12.5,4\n20,0\n";
    let mut meter = RecordedPower::parse("robot.csv", text, Coverage::Device).expect("a recording");
    assert_eq!(meter.length(), Duration::from_secs(10));
    assert_eq!((energy(&mut meter, 100), energy(&mut meter, 102)), (None, Some(4_000_000)));
    // Half a second of 2 W and one and a half of 4 W.
    assert_eq!(energy(&mut meter, 104), Some(7_000_000));
    assert_eq!((energy(&mut meter, 104), energy(&mut meter, 110)), (Some(0), Some(24_000_000)));
    assert_eq!(meter.read(second(111)), Err(MeterError::TraceEnded { file: "robot.csv".to_owned() }));
}

#[test]
fn recordings_that_make_no_sense_are_refused_by_line() {
    let error = |text: &str| {
        let error = RecordedPower::parse("robot.csv", text, Coverage::Device).expect_err("refused");
        error.to_string()
    };
    assert_eq!(error("0,1\n1,x"), "robot.csv, line 2: expected `seconds,watts`");
    assert_eq!(error("a,b\nc,d\n0,1"), "robot.csv, line 3: expected at least two rows");
    assert_eq!(error("1,1\n1,1"), "robot.csv, line 2: expected a later time than in the row before");
    for row in ["-1,1", "1,-1", "NaN,1", "1,inf", "1e300,1", "1,1e300"] {
        assert!(error(row).contains("line 1: expected seconds up to"), "{row}");
    }
}

proptest! {
    #[test]
    fn no_recording_makes_a_panic(text in "([0-9.eE+-]{0,6},?[0-9.]{0,4}\n|\\PC{0,9}\n){0,9}", times in any::<[u16; 4]>()) {
        if let Ok(mut meter) = RecordedPower::parse("robot.csv", &text, Coverage::Device) {
            // Whatever the order of questions, no time is played twice.
            let read = times.map(|time| meter.read(Timestamp::from_nanos(u64::from(time) * 10_000_000)));
            let played: Duration = read.into_iter().flatten().flatten().map(|metered| metered.time).sum();
            prop_assert!(played <= meter.length());
        }
    }
}

#[test]
fn detection_prefers_what_sees_the_whole_device_and_says_what_it_looked_for() {
    let none = Machine::new(&[]);
    let detection = detect(none.root());
    assert!(detection.meter.is_none());
    let [hwmon, supply, rapl] = detection.looked_for.as_slice() else { panic!("{detection:?}") };
    for (looked, class) in [(hwmon, "hwmon"), (supply, "power_supply"), (rapl, "powercap")] {
        let place = none.path(class);
        assert_eq!(looked.found, Err(MeterError::Absent { place }));
        assert!(looked.to_string().ends_with("has no such meter"), "{looked}");
    }
    let source = |machine: &Machine| {
        let meter = detect(machine.root()).meter.expect("a meter");
        meter.label().source.clone()
    };
    let machine = laptop();
    assert!(source(&machine).starts_with("RAPL"));
    for (path, text) in [("type", "Battery"), ("status", "Discharging"), ("power_now", "5")] {
        machine.put(&format!("power_supply/BAT0/{path}"), text);
    }
    assert!(source(&machine).starts_with("discharge of the battery"));
}

#[test]
fn processors_of_one_kind_have_a_frequency() {
    let machine = Machine::new(&[("none", "")]);
    assert_eq!(processor_frequency(machine.root()), None);
    for (processor, running) in [("cpu0", "800000"), ("cpu1", "2400000")] {
        machine.put(&format!("../devices/system/cpu/{processor}/cpufreq/scaling_cur_freq"), running);
        machine.put(&format!("../devices/system/cpu/{processor}/cpufreq/cpuinfo_max_freq"), "3000000");
    }
    machine.put("../devices/system/cpu/cpu2/online", "0");
    machine.put("../devices/system/cpu/cpufreq/scaling_cur_freq", "1");
    assert_eq!(
        processor_frequency(machine.root()),
        Some(outboard_core::Frequency::from_kilohertz(1_600_000))
    );
    machine.put("../devices/system/cpu/cpu1/cpufreq/cpuinfo_max_freq", "2000000");
    assert_eq!(processor_frequency(machine.root()), None, "two kinds");
}

#[test]
fn hostile_files_are_errors_and_never_panics() {
    let hostile: [&[u8]; 11] = [
        b"",
        b"-1x",
        b"\xff\xfe",
        b"99999999999999999999999999",
        b"-9223372036854775808",
        b"18446744073709551615",
        b"nan",
        b"1 2",
        b"0x10",
        &[b'9'; 100_000],
        &[0; 300],
    ];
    type Files = &'static [&'static str];
    let machines: [(fn() -> Machine, Files); 3] = [
        (
            laptop,
            &[
                "powercap/intel-rapl:0/energy_uj",
                "powercap/intel-rapl:0/max_energy_range_uj",
                "powercap/intel-rapl:0/name",
            ],
        ),
        (
            || phone("Discharging"),
            &["power_supply/BAT0/current_now", "power_supply/BAT0/voltage_now", "power_supply/BAT0/status"],
        ),
        (board, &["hwmon/hwmon3/in1_input", "hwmon/hwmon3/curr1_input", "hwmon/hwmon3/in1_label"]),
    ];
    for (machine, files) in machines {
        for file in files {
            for text in hostile {
                let machine = machine();
                let mut before = detect(machine.root()).meter.expect("a meter");
                assert_eq!(before.read(second(0)), Ok(None));
                machine.put(file, text);
                let detection = detect(machine.root());
                if let Some(mut meter) = detection.meter {
                    assert_eq!(meter.read(second(0)), Ok(None));
                    let _ = meter.read(second(1));
                }
                let _ = before.read(second(1));
            }
            let machine = machine();
            fs::remove_file(machine.path(file)).expect("it was there");
            fs::create_dir(machine.path(file)).expect("it can be made");
            assert!(detect(machine.root()).looked_for.iter().any(|looked| looked.found.is_err()));
        }
    }
    let machine = laptop();
    machine.put("powercap/intel-rapl:0/energy_uj", "much");
    let error = Rapl::open(machine.root()).expect_err("no number").to_string();
    assert!(error.contains("intel-rapl:0/energy_uj does not contain a number from zero"), "{error}");
}

#[test]
#[cfg(unix)]
fn a_counter_for_root_only_says_what_to_do() {
    use std::os::unix::fs::PermissionsExt as _;

    let laptop = laptop();
    let path = laptop.path("powercap/intel-rapl:0/energy_uj");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("it is ours");
    match Rapl::open(laptop.root()) {
        Err(error) => {
            assert_eq!(error, MeterError::NotPermitted { path });
            assert!(error.to_string().contains("run as root"), "{error}");
        }
        // Root reads everything.
        Ok(_) => assert!(fs::read(&path).is_ok(), "only who may read it gets a meter"),
    }
}
