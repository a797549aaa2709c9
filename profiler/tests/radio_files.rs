//! The radio files of the folder that `OUTBOARD_TRACES` names; without it there is nothing to see.
#![expect(clippy::disallowed_methods, reason = "a test may look where its files are")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

use std::path::PathBuf;
use std::time::Duration;

use outboard_core::{ByteCount, Timestamp};
use outboard_profiler::{Exchange, RadioFile, RadioModel, RadioProfile};

fn folder() -> Option<PathBuf> {
    let folder = std::env::var("OUTBOARD_TRACES").ok().map(|traces| PathBuf::from(traces).join("device"));
    let found = folder.filter(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: OUTBOARD_TRACES names no folder with radio files");
    }
    found
}

fn aro(folder: &std::path::Path, name: &str) -> RadioModel {
    let text = std::fs::read_to_string(folder.join("energy-aro").join(name)).expect("it is there");
    let profile =
        RadioProfile::from_aro(RadioFile { name, text: &text }).unwrap_or_else(|error| panic!("{error}"));
    RadioModel::new(&profile, None).expect("its powers are known")
}

fn energybox(folder: &std::path::Path, network: &str, device: &str) -> RadioModel {
    let read = |name: &str| {
        std::fs::read_to_string(folder.join("energy-energybox").join(name)).expect("it is there")
    };
    let (network_text, device_text) = (read(network), read(device));
    let network = RadioFile { name: network, text: &network_text };
    let device = RadioFile { name: device, text: &device_text };
    let profile = RadioProfile::from_energybox(network, device).unwrap_or_else(|error| panic!("{error}"));
    RadioModel::new(&profile, None).expect("its powers are known")
}

#[test]
fn every_radio_file_is_imported() {
    let Some(folder) = folder() else { return };
    let message = Exchange { up: ByteCount::from_bytes(10_000), ..Exchange::default() };
    let awake = |model: &RadioModel| model.awake_for().as_millis();

    let lte = aro(&folder, "lte.conf");
    assert_eq!((awake(&lte), lte.marginal(None, &message).delay.as_millis()), (10_120, 260));
    // A reply after half a minute waits for half a period of listening, and wakes the radio again.
    let late = Exchange { wait: Duration::from_secs(30), ..message };
    assert_eq!(lte.marginal(None, &late).delay.as_millis(), 260 + 640 + 260);
    // The tail is 1.06 W for 10.12 s and a little for listening, of which the idle radio draws 0.02 W anyway.
    let tail = lte.marginal(None, &Exchange::default()).energy.as_joules_f64() - 1.21 * 0.26;
    assert!((10.3..11.2).contains(&tail), "{tail} J");

    for (name, dch, fach) in [("aria-3g.conf", 0.93, 0.51), ("inspire-3g.conf", 0.60, 0.38)] {
        let model = aro(&folder, name);
        assert_eq!(awake(&model), 14_000, "{name}");
        let cold = model.marginal(None, &message);
        assert_eq!(cold.delay, Duration::from_secs(2), "{name}");
        let promotion = 2.0 * dch / 2.0;
        let expected = promotion + 4.0 * dch + 10.0 * fach;
        assert!((cold.energy.as_joules_f64() - expected).abs() < 0.01, "{name}: {cold:?}");
    }
    assert_eq!(awake(&aro(&folder, "WiFi.conf")), 250);

    for device in ["device_3g.config", "nexus_one_3g.config"] {
        let model = energybox(&folder, "3g_teliasonera.config", device);
        assert_eq!(awake(&model), 9_700, "{device}");
        assert_eq!(model.marginal(None, &message).delay.as_millis(), 1_700, "{device}");
        let radio = outboard_profiler::Radio::new(model, Timestamp::ZERO);
        assert_eq!(radio.ready(Timestamp::ZERO, ByteCount::from_bytes(1)).as_millis(), 1_700, "{device}");
    }
    let wifi = energybox(&folder, "wifi_general.config", "samsungS2_wifi.config");
    assert_eq!(awake(&wifi), 220);
}
