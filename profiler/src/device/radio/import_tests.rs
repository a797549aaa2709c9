//! Importing files of ARO and EnergyBox.

use std::time::Duration;

use outboard_core::{Energy, Power};
use proptest::prelude::*;

use super::{RadioFile, RadioImportError, RadioProfile};

const LTE: &str = "# a phone\r\nPROFILE_TYPE=LTE\r\nT_PROMOTION=0.3\r\nINACTIVITY_TIMER=0.2\r\nT_SHORT_DRX=0.04\r\n\
    T_DRX_PING = 0.002\r\nT_LONG_DRX=9\t\r\nT_IDLE_PING=0.05\r\nT_SHORT_DRX_PING_PERIOD=0.02\r\n\
    T_LONG_DRX_PING_PERIOD=0.04\r\nT_IDLE_PING_PERIOD=1\r\nP_PROMOTION=1.2\r\nP_SHORT_DRX_PING=1.7\r\n\
    P_LONG_DRX_PING=1.7\r\nP_TAIL=1.1\r\nP_IDLE_PING=0.6\r\nP_IDLE=0\r\nLTE_ALPHA_UP=438.39\r\nLTE_ALPHA_DOWN=51.97\r\n\
    LTE_BETA =1.2\t";
const THIRD: &str = "DCH_FACH_TIMER=4\nFACH_IDLE_TIMER=10\nIDLE_DCH_PROMO_AVG=2.0\nFACH_DCH_PROMO_AVG=1.5\nRLC_UL_TH=543\n\
    RLC_DL_TH=475\nPOWER_DCH=0.9\nPOWER_FACH=0.5\nPOWER_IDLE=0\nPOWER_IDLE_DCH=0.4\nPOWER_FACH_DCH=0.7\n";
const BOX_NETWORK: &str = "TYPE=3G\nDCH_FACH_INACTIVITY_TIME=4100\nFACH_IDLE_INACTIVITY_TIME=5600\n\
    UPLINK_BUFFER_FACH_TO_DCH=294\nDOWNLINK_BUFFER_FACH_TO_DCH=515\nIDLE_TO_DCH_TRANSITION_TIME=1700\n\
    FACH_TO_DCH_TRANSITION_TIME=650\n";
const BOX_DEVICE: &str = "TYPE=Device3G\nPOWER_IN_IDLE=0.2\nPOWER_IN_FACH=0.5\nPOWER_IN_DCH=1.3";
const BOX_WIFI: &str = "TYPE=Wifi\nCAM_PSM_INACTIVITY_TIME=220\n";
const BOX_WIFI_DEVICE: &str = "TYPE=DeviceWifi\nPOWER_IN_PSM=0.03\nPOWER_IN_CAM=0.25\nPOWER_IN_CAMH=0.45\n";

fn aro(text: &str) -> Result<RadioProfile, RadioImportError> {
    RadioProfile::from_aro(RadioFile { name: "phone.conf", text })
}

fn energybox(network: &str, device: &str) -> Result<RadioProfile, RadioImportError> {
    let (network, device) = (
        RadioFile { name: "network.config", text: network },
        RadioFile { name: "device.config", text: device },
    );
    RadioProfile::from_energybox(network, device)
}

fn millis(phase: super::Phase) -> (u128, u64) {
    (phase.time.as_millis(), phase.power.as_microwatts() / 1_000)
}

#[test]
fn an_lte_radio_of_aro_is_imported_whole() {
    let radio = aro(LTE).expect("sound");
    assert_eq!(radio.kind.as_deref(), Some("lte"));
    assert_eq!(radio.per_megabit_up.as_ref().map(|it| it.value), Some(Energy::from_microjoules(438_390)));
    assert_eq!(radio.promotion.as_ref().map(|it| millis(it.value)), Some((300, 1_200)));
    let tails: Vec<_> = radio.tail_phases().into_iter().map(|(phase, _)| millis(phase)).collect();
    // Of each short cycle a tenth at 0.6 W more than the tail, of each long one a twentieth.
    assert_eq!(tails, [(200, 1_100), (40, 1_160), (9_000, 1_130)]);
    assert_eq!(radio.idle.as_ref().map(|it| it.value), Some(Power::from_milliwatts(30)));
    assert_eq!(radio.beacon.map(|it| it.value), Some(Duration::from_secs(1)));
    let source = radio.active.expect("stated").source;
    assert_eq!(source, "AT&T ARO, phone.conf: LTE_BETA");
}

#[test]
fn a_3g_radio_of_aro_has_two_tails_and_the_way_back_from_the_second() {
    let radio = aro(THIRD).expect("sound");
    let tails = radio.tail_phases();
    assert_eq!((millis(tails[0].0), tails[0].1), ((4_000, 900), None));
    assert_eq!((millis(tails[1].0), tails[1].1.map(millis)), ((10_000, 500), Some((1_500, 700))));
    assert_eq!(radio.small_up.map(|it| it.value.as_bytes()), Some(543));
    let wifi =
        aro("PROFILE_TYPE=WIFI\nPOWER_WIFI_ACTIVE=0.4\nPOWER_WIFI_STANDBY=0.02\nWIFI_TAIL_TIME = 0.25");
    let tails = wifi.expect("sound").tail_phases();
    assert_eq!(tails.into_iter().map(|(phase, _)| millis(phase)).collect::<Vec<_>>(), [(250, 400)]);
}

#[test]
fn energybox_has_times_of_the_network_and_powers_of_the_device() {
    let radio = energybox(BOX_NETWORK, BOX_DEVICE).expect("sound");
    assert_eq!(radio.promotion.as_ref().map(|it| millis(it.value)), Some((1_700, 200)));
    let tails = radio.tail_phases();
    assert_eq!((millis(tails[0].0), tails[0].1), ((4_100, 1_300), None));
    assert_eq!((millis(tails[1].0), tails[1].1.map(millis)), ((5_600, 500), Some((650, 500))));
    let wifi = energybox(BOX_WIFI, BOX_WIFI_DEVICE).expect("sound").tail_phases();
    assert_eq!(wifi.into_iter().map(|(phase, _)| millis(phase)).collect::<Vec<_>>(), [(220, 250)]);
}

#[test]
fn errors_name_file_line_and_key() {
    let error = |text: &str| aro(text).expect_err("it should be refused").to_string();
    assert_eq!(
        error("PROFILE_TYPE=WIFI\nPOWER_WIFI_ACTIVE"),
        "phone.conf, line 2: write `KEY=VALUE`, or begin a comment with `#`"
    );
    assert_eq!(error("PROFILE_TYPE=LTE"), "phone.conf: `P_TAIL` is missing: add it");
    assert_eq!(
        error(&LTE.replace("P_TAIL=1.1", "P_TAIL=-1")),
        "phone.conf, line 15: `P_TAIL` must be a number from 0 to 1000000"
    );
    assert_eq!(
        error(&THIRD.replace("POWER_DCH=0.9", "POWER_DCH=NaN")).split(':').next(),
        Some("phone.conf, line 7")
    );
    assert!(error("PROFILE_TYPE=GSM").ends_with("`PROFILE_TYPE` must be `LTE`, `WIFI` or `T3G`"));
    assert!(
        error(&LTE.replace("T_IDLE_PING_PERIOD=1", "T_IDLE_PING_PERIOD=0"))
            .contains("`T_IDLE_PING_PERIOD` must")
    );
    assert!(error(&"#\n".repeat(40_000)).contains("more than 65536 bytes"));
    let mixed = energybox(BOX_NETWORK, BOX_WIFI_DEVICE).expect_err("they do not belong together").to_string();
    assert_eq!(mixed, "device.config, line 1: `TYPE` must be `Device3G`, as the network is one of 3G");
    assert_eq!(
        energybox("", BOX_DEVICE).expect_err("empty").to_string(),
        "network.config: `TYPE` is missing: add it"
    );
}

/// Lines of a sound file, some of them changed.
fn changed(text: &'static str) -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just(String::new()),
        any::<f64>().prop_map(|number| number.to_string()),
        "[-+0-9eE.]{0,12}",
        "\\PC{0,12}",
    ];
    proptest::collection::vec((any::<prop::sample::Index>(), value), 0..4).prop_map(move |changes| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (place, value) in changes {
            let line = place.get(&lines).split('=').next().unwrap_or_default().to_owned();
            let place = place.index(lines.len());
            lines[place] = format!("{line}={value}");
        }
        lines.join("\n")
    })
}

proptest! {
    /// Whatever such a file says, it becomes a radio that can be reckoned with, or an error.
    #[test]
    fn hostile_files_never_panic(
        lte in changed(LTE),
        third in changed(THIRD),
        network in changed(BOX_NETWORK),
        device in changed(BOX_DEVICE),
        noise in "\\PC{0,80}",
        idle in any::<u64>(),
    ) {
        for radio in [aro(&lte), aro(&third), aro(&noise), energybox(&network, &device), energybox(&noise, &device)] {
            let Ok(radio) = radio else { continue };
            if let Some(model) = crate::RadioModel::new(&radio, None) {
                let exchange = crate::Exchange { wait: Duration::from_nanos(idle), ..Default::default() };
                let cost = model.marginal(Some(Duration::from_nanos(idle)), &exchange);
                prop_assert!(cost.energy < Energy::from_microjoules(u64::MAX));
            }
        }
    }

    #[test]
    fn hostile_profiles_never_panic(text in "(kind|tail|tails|profile|beacon|promotion|\\[\\[tails\\]\\])? ?=?\\PC{0,60}") {
        let _ = RadioProfile::parse("radio.toml", &text);
    }
}
