//! What the device spends: on running, on waiting, on moving bytes.

use std::time::Duration;

use outboard_core::{Energy, Power};

use crate::device::{DeviceProfile, FigureQuality};

/// The energy of a device, by what it does and for how long.
///
/// Every figure is of the whole device: an idle device draws power too, so time saved is energy saved (MAUI compares
/// the same way). The model is linear in the number of busy cores, and a radio adds what it draws above its own silence. A
/// figure that needs a part of the profile that is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnergyModel {
    idle: Option<Power>,
    running: Option<Power>,
    sending: Option<Power>,
    receiving: Option<Power>,
    tail: Energy,
}

impl EnergyModel {
    /// The model of a device.
    pub fn new(profile: &DeviceProfile) -> Self {
        let (cpu, radio) = (&profile.cpu, &profile.radio);
        let idle = cpu.idle.as_ref().map(|figure| figure.value);
        let busy = cpu.busy.as_ref().map(|figure| figure.value);
        let running = idle.zip(busy).zip(cpu.cores).map(|((idle, busy), cores)| {
            idle + busy.saturating_sub(idle).scaled(1.0 / f64::from(cores.max(1)))
        });
        let silent = radio.idle.as_ref().map_or(Power::ZERO, |figure| figure.value);
        let above = |figure: &Option<crate::Figure<Power>>| {
            idle.zip(figure.as_ref()).map(|(idle, figure)| idle + figure.value.saturating_sub(silent))
        };
        let tail = radio.tail.as_ref().zip(radio.tail_time.as_ref());
        Self {
            idle,
            running,
            sending: above(&radio.transmit),
            receiving: above(&radio.receive),
            tail: tail.map_or(Energy::ZERO, |(power, time)| power.value.saturating_sub(silent) * time.value),
        }
    }

    /// The device with one core busy for that long.
    pub fn running(&self, time: Duration) -> Option<Energy> {
        self.running.map(|power| power * time)
    }

    /// The device idle for that long, as it is while a server works for it.
    pub fn waiting(&self, time: Duration) -> Option<Energy> {
        self.idle.map(|power| power * time)
    }

    /// The device sending and then receiving for that long, and its radio's tail afterwards.
    pub fn transferring(&self, up: Duration, down: Duration) -> Option<Energy> {
        Some(self.sending? * up + self.receiving? * down + self.tail)
    }

    /// Whether a local and a remote run can be compared by energy.
    pub fn is_complete(&self) -> bool {
        self.running.is_some() && self.sending.is_some() && self.receiving.is_some()
    }

    /// What every energy of this model has to be labelled with.
    pub fn quality(&self) -> FigureQuality {
        // Even where every power was measured, an energy is that power times a share of time: a model.
        if self.is_complete() { FigureQuality::Modelled } else { FigureQuality::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn model(name: &str) -> EnergyModel {
        EnergyModel::new(&DeviceProfile::built_in(name).expect("built in"))
    }

    #[test]
    fn one_busy_core_costs_its_share_above_idle() {
        let pi = model("raspberry-pi-4b");
        // 2.29 W idle, 4.53 W more for four busy cores.
        assert_eq!(pi.waiting(SECOND), Some(Energy::from_microjoules(2_290_000)));
        assert_eq!(pi.running(SECOND), Some(Energy::from_microjoules(2_290_000 + 4_530_000 / 4)));
    }

    #[test]
    fn a_transfer_pays_for_the_radio_and_its_tail() {
        let pi = model("raspberry-pi-4b");
        let tail = 220_000 * 220 / 1_000;
        let expected = (2_290_000 + 370_000) * 2 + tail;
        assert_eq!(pi.transferring(SECOND, SECOND), Some(Energy::from_microjoules(expected)));
    }

    #[test]
    fn what_the_profile_does_not_know_the_model_does_not_invent() {
        let unknown = EnergyModel::new(&DeviceProfile::unknown());
        assert_eq!(unknown.running(SECOND), None);
        assert_eq!(unknown.transferring(SECOND, SECOND), None);
        assert_eq!(unknown.quality(), FigureQuality::Unknown);
        assert_eq!(model("raspberry-pi-5").quality(), FigureQuality::Modelled);
    }
}
