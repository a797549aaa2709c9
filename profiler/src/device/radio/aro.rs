//! The radio profiles of AT&T's Application Resource Optimizer (ARO, later Video Optimizer): files `*.conf`.

use std::time::Duration;

use outboard_core::{ByteCount, Energy, Power};

use super::properties::{Properties, RadioFile, RadioImportError, phase};
use super::{RadioProfile, TailProfile};

impl RadioProfile {
    /// Reads a profile of ARO, of any of its three types: times in seconds, powers in watts, α in milliwatts per Mbit/s.
    ///
    /// # Errors
    /// A file that is too long, a line that is no pair, a key that is missing, or a value that cannot be used; the error names file,
    /// line and key.
    pub fn from_aro(file: RadioFile<'_>) -> Result<Self, RadioImportError> {
        let properties = Properties::read("AT&T ARO", file)?;
        match properties.text("PROFILE_TYPE") {
            Some("LTE") => lte(&properties),
            Some("WIFI") => wifi(&properties),
            // Older files have no type, and are all of 3G.
            Some("T3G") | None => third_generation(&properties),
            Some(_) => Err(properties.bad("PROFILE_TYPE", "`LTE`, `WIFI` or `T3G`")),
        }
    }
}

/// In continuous reception after a transfer, then in short and long cycles of discontinuous reception: the power of the tail,
/// and in each cycle a short while (*ping*) that of listening.
fn lte(file: &Properties<'_>) -> Result<RadioProfile, RadioImportError> {
    let tail = file.number("P_TAIL")?;
    let ping = file.number("T_DRX_PING")?;
    let cycle = |power: &'static str, period: &'static str| {
        let listening = (ping / file.divisor(period)?).min(1.0);
        Ok(tail + (file.number(power)? - tail).max(0.0) * listening)
    };
    let short = cycle("P_SHORT_DRX_PING", "T_SHORT_DRX_PING_PERIOD")?;
    let long = cycle("P_LONG_DRX_PING", "T_LONG_DRX_PING_PERIOD")?;
    let tails = [
        (phase(file.number("INACTIVITY_TIMER")?, tail), "INACTIVITY_TIMER, P_TAIL"),
        (phase(file.number("T_SHORT_DRX")?, short), "T_SHORT_DRX, P_TAIL, P_SHORT_DRX_PING"),
        (phase(file.number("T_LONG_DRX")?, long), "T_LONG_DRX, P_TAIL, P_LONG_DRX_PING"),
    ];
    let period = file.divisor("T_IDLE_PING_PERIOD")?;
    let silent = file.number("P_IDLE")?;
    let listening = (file.number("T_IDLE_PING")? / period).min(1.0);
    let idle = silent + (file.number("P_IDLE_PING")? - silent).max(0.0) * listening;
    let alpha =
        |key| Ok(file.figure(Energy::from_microjoules((file.number(key)? * 1e3).round() as u64), key));
    let promotion = phase(file.number("T_PROMOTION")?, file.number("P_PROMOTION")?);
    Ok(RadioProfile {
        kind: Some("lte".to_owned()),
        idle: Some(file.figure(Power::from_watts_f64(idle), "P_IDLE, P_IDLE_PING, T_IDLE_PING")),
        active: Some(file.power("LTE_BETA")?),
        per_megabit_up: Some(alpha("LTE_ALPHA_UP")?),
        per_megabit_down: Some(alpha("LTE_ALPHA_DOWN")?),
        promotion: Some(file.figure(promotion, "T_PROMOTION, P_PROMOTION")),
        tails: tails
            .map(|(phase, keys)| TailProfile { phase: file.figure(phase, keys), promotion: None })
            .into(),
        beacon: Some(file.figure(Duration::from_secs_f64(period), "T_IDLE_PING_PERIOD")),
        ..RadioProfile::default()
    })
}

/// ARO counts the tail at full power.
fn wifi(file: &Properties<'_>) -> Result<RadioProfile, RadioImportError> {
    let tail = Duration::from_secs_f64(file.number("WIFI_TAIL_TIME")?);
    let active = file.power("POWER_WIFI_ACTIVE")?;
    Ok(RadioProfile {
        kind: Some("wifi".to_owned()),
        idle: Some(file.power("POWER_WIFI_STANDBY")?),
        tail: Some(active.clone()),
        active: Some(active),
        tail_time: Some(file.figure(tail, "WIFI_TAIL_TIME")),
        ..RadioProfile::default()
    })
}

fn third_generation(file: &Properties<'_>) -> Result<RadioProfile, RadioImportError> {
    let promotion = |time: &'static str, power: &'static str| {
        Ok(file.figure(phase(file.number(time)?, file.number(power)?), &format!("{time}, {power}")))
    };
    let tail = |time, power, promotion| {
        Ok(TailProfile {
            phase: file.figure(phase(file.number(time)?, file.number(power)?), &format!("{time}, {power}")),
            promotion,
        })
    };
    let bytes = |key| Ok(file.figure(ByteCount::from_bytes(file.number(key)?.round() as u64), key));
    let back = promotion("FACH_DCH_PROMO_AVG", "POWER_FACH_DCH")?;
    Ok(RadioProfile {
        kind: Some("3g".to_owned()),
        idle: Some(file.power("POWER_IDLE")?),
        active: Some(file.power("POWER_DCH")?),
        promotion: Some(promotion("IDLE_DCH_PROMO_AVG", "POWER_IDLE_DCH")?),
        tails: vec![
            tail("DCH_FACH_TIMER", "POWER_DCH", None)?,
            tail("FACH_IDLE_TIMER", "POWER_FACH", Some(back))?,
        ],
        small_up: Some(bytes("RLC_UL_TH")?),
        small_down: Some(bytes("RLC_DL_TH")?),
        ..RadioProfile::default()
    })
}
