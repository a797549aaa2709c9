//! The radio profiles of EnergyBox (Vergara et al., 2013): files `*.config`, one of the network and one of the device.

use std::time::Duration;

use outboard_core::ByteCount;

use super::properties::{Properties, RadioFile, RadioImportError, phase};
use super::{RadioProfile, TailProfile};

impl RadioProfile {
    /// Reads a profile of EnergyBox: the network's file, with times in milliseconds, and the device's, with powers in watts. Both are
    /// of 3G, or both of Wi-Fi.
    ///
    /// # Errors
    /// A file that is too long, a line that is no pair, a key that is missing, a value that cannot be used, or two files that do not
    /// belong together; the error names file, line and key.
    pub fn from_energybox(network: RadioFile<'_>, device: RadioFile<'_>) -> Result<Self, RadioImportError> {
        let network = Properties::read("EnergyBox", network)?;
        let device = Properties::read("EnergyBox", device)?;
        match (network.text("TYPE"), device.text("TYPE")) {
            (Some("3G"), Some("Device3G")) => third_generation(&network, &device),
            (Some("Wifi"), Some("DeviceWifi")) => wifi(&network, &device),
            (Some("3G"), _) => Err(device.bad("TYPE", "`Device3G`, as the network is one of 3G")),
            (Some("Wifi"), _) => Err(device.bad("TYPE", "`DeviceWifi`, as the network is one of Wi-Fi")),
            _ => Err(network.bad("TYPE", "`3G` or `Wifi`")),
        }
    }
}

/// EnergyBox counts a transition at the power of the state that it leaves. Its shortcut from idle to the shared channel, for
/// small messages, is left out: they are taken to go to the dedicated one as others do.
fn third_generation(
    network: &Properties<'_>,
    device: &Properties<'_>,
) -> Result<RadioProfile, RadioImportError> {
    let at = |time: &'static str, power: &'static str| {
        Ok(network.figure(
            phase(network.number(time)? / 1e3, device.number(power)?),
            &format!("{time}; the device's {power}"),
        ))
    };
    let bytes = |key| Ok(network.figure(ByteCount::from_bytes(network.number(key)?.round() as u64), key));
    Ok(RadioProfile {
        kind: Some("3g".to_owned()),
        idle: Some(device.power("POWER_IN_IDLE")?),
        active: Some(device.power("POWER_IN_DCH")?),
        promotion: Some(at("IDLE_TO_DCH_TRANSITION_TIME", "POWER_IN_IDLE")?),
        tails: vec![
            TailProfile { phase: at("DCH_FACH_INACTIVITY_TIME", "POWER_IN_DCH")?, promotion: None },
            TailProfile {
                phase: at("FACH_IDLE_INACTIVITY_TIME", "POWER_IN_FACH")?,
                promotion: Some(at("FACH_TO_DCH_TRANSITION_TIME", "POWER_IN_FACH")?),
            },
        ],
        small_up: Some(bytes("UPLINK_BUFFER_FACH_TO_DCH")?),
        small_down: Some(bytes("DOWNLINK_BUFFER_FACH_TO_DCH")?),
        ..RadioProfile::default()
    })
}

/// Asleep between beacons (PSM), awake (CAM), and awake at more than some hundred kilobits per second (CAMH).
fn wifi(network: &Properties<'_>, device: &Properties<'_>) -> Result<RadioProfile, RadioImportError> {
    let tail = Duration::from_secs_f64(network.number("CAM_PSM_INACTIVITY_TIME")? / 1e3);
    Ok(RadioProfile {
        kind: Some("wifi".to_owned()),
        idle: Some(device.power("POWER_IN_PSM")?),
        active: Some(device.power("POWER_IN_CAMH")?),
        tail: Some(device.power("POWER_IN_CAM")?),
        tail_time: Some(network.figure(tail, "CAM_PSM_INACTIVITY_TIME")),
        ..RadioProfile::default()
    })
}
