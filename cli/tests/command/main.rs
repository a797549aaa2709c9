//! The command as it is run: what it prints, and its exit status.

mod solve;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn outboard(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_outboard")).args(arguments).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path of ASCII")
}

#[test]
fn help_is_printed_and_mistakes_end_with_status_2() {
    let help = outboard(&["--help"]);
    assert!(help.status.success() && text(&help.stdout).contains("Usage: outboard probe"));
    assert!(text(&outboard(&["probe", "--help"]).stdout).contains("--sysfs ROOT"));
    for arguments in [&["probe", "--sysf", "x"][..], &["probe", "--seconds", "0"], &["prob"], &[]] {
        let wrong = outboard(arguments);
        assert_eq!(wrong.status.code(), Some(2), "{arguments:?}");
        assert!(wrong.stdout.is_empty() && text(&wrong.stderr).starts_with("outboard: "), "{arguments:?}");
    }
}

#[test]
fn a_machine_without_a_meter_gets_a_profile_that_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = path(folder.path());
    let probe = outboard(&["probe", "--sysfs", root, "--device-profile", "raspberry-pi-5"]);
    assert!(probe.status.success(), "{}", text(&probe.stderr));
    let (profile, told) = (text(&probe.stdout), text(&probe.stderr));
    assert!(
        profile.starts_with("# Written by `outboard probe`: no meter; every figure is that of"),
        "{profile}"
    );
    assert!(profile.contains("watts = 4.4, quality = \"modelled\""), "{profile}");
    let measured: Vec<_> = profile.lines().filter(|line| line.contains("\"measured\"")).collect();
    assert!(measured.len() == 1 && measured[0].starts_with("speed = { steps_per_second = "), "{profile}");
    for class in ["hwmon", "power_supply", "powercap"] {
        assert!(told.contains(&format!("there is no {root}/class/{class}")), "{told}");
    }
    let unknown = outboard(&["probe", "--sysfs", root, "--device-profile", "raspberry-pi"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("use one of dell-inspiron-300m, "), "{}", text(&unknown.stderr));
}

#[test]
fn a_phone_is_imported_and_its_profile_is_shown_as_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let (phone, output) = (folder.path().join("power_profile.xml"), folder.path().join("phone.toml"));
    let xml = r#"<device name="Phone">
        <array name="cpu.clusters.cores"><value>1</value></array>
        <array name="cpu.core_speeds.cluster0"><value>300000</value></array>
        <array name="cpu.core_power.cluster0"><value>100</value></array>
    </device>"#;
    fs::write(&phone, xml).expect("it can be written");
    let imported = outboard(&["profile", "import", path(&phone)]);
    let profile = text(&imported.stdout);
    assert!(profile.contains("megahertz = 300.0, watts = 0.37, quality = \"modelled\""), "{profile}");
    assert!(outboard(&["profile", "import", path(&phone), "--output", path(&output)]).status.success());
    assert_eq!(fs::read_to_string(&output).expect("it was written"), profile);
    assert_eq!(text(&outboard(&["profile", "show", path(&output)]).stdout), profile);
    fs::write(&phone, xml.replace(">100<", ">-1<")).expect("it can be written");
    let broken = outboard(&["profile", "import", path(&phone)]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(text(&broken.stderr).contains("power_profile.xml, line 4: `cpu.core_power.cluster0`"));
    let missing = outboard(&["profile", "import", path(&folder.path().join("none.xml"))]);
    assert!(text(&missing.stderr).starts_with("outboard: cannot read "), "{}", text(&missing.stderr));
}

#[test]
fn every_listed_profile_can_be_shown() {
    let list = text(&outboard(&["profile", "list"]).stdout);
    let names: Vec<_> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"htc-fuze") && names.contains(&"raspberry-pi-4b"), "{list}");
    for name in names {
        assert!(outboard(&["profile", "show", name]).status.success(), "{name}");
    }
}

#[test]
fn radio_files_are_imported_and_wrong_ones_say_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path.to_string_lossy().into_owned()
    };
    let network = file(
        "net.config",
        "TYPE=Wifi\nPSM_TO_CAM_THRESHOLD=1\nCAM_PSM_INACTIVITY_TIME=220\nCAM_TIME_WIMDOW=50\nWINDOW_DATA_RATE_THRESHOLD=3000\n",
    );
    let device =
        file("dev.config", "TYPE=DeviceWifi\nPOWER_IN_PSM=0.03\nPOWER_IN_CAM=0.25\nPOWER_IN_CAMH=0.45\n");
    let output = outboard(&["profile", "import", &network, &device]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("[radio]") && text.contains("0.22"), "{output:?}");
    let broken = file("lte.conf", "PROFILE_TYPE=LTE\n");
    let output = outboard(&["profile", "import", &broken]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("lte.conf"), "{output:?}");
}
