//! What the device spends: on running, on waiting, on its radio.

use std::time::Duration;

use outboard_core::{Energy, Power};

use crate::device::{DeviceProfile, FigureQuality};
use crate::radio::RadioModel;

/// The energy of a device, by what it does and for how long.
///
/// Every figure is of the whole device: an idle device draws power too, so time saved is energy saved (MAUI compares
/// the same way). The model is linear in the number of busy cores. On top comes what the radio takes above its silence, which
/// is charged as it arises: the *marginal* energy of an exchange, given when the radio was used before it. A figure that needs
/// a part of the profile that is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnergyModel {
    idle: Option<Power>,
    running: Option<Power>,
    radio: Option<RadioModel>,
}

impl EnergyModel {
    /// The model of a device.
    pub fn new(profile: &DeviceProfile) -> Self {
        let cpu = &profile.cpu;
        let idle = cpu.idle.as_ref().map(|figure| figure.value);
        let busy = cpu.busy.as_ref().map(|figure| figure.value);
        let running = idle.zip(busy).zip(cpu.cores).map(|((idle, busy), cores)| {
            idle + busy.saturating_sub(idle).scaled(1.0 / f64::from(cores.max(1)))
        });
        Self { idle, running, radio: RadioModel::new(&profile.radio, idle) }
    }

    /// The device with one core busy for that long.
    pub fn running(&self, time: Duration) -> Option<Energy> {
        self.running.map(|power| power * time)
    }

    /// The device idle for that long, as it is while a server works for it; its radio apart.
    pub fn waiting(&self, time: Duration) -> Option<Energy> {
        self.idle.map(|power| power * time)
    }

    /// A remote run that takes so long from beginning to end, delays by the radio included, with what the radio is charged for
    /// it.
    pub fn remote(&self, time: Duration, radio: Energy) -> Option<Energy> {
        self.radio.as_ref().and(self.waiting(time)).map(|waiting| waiting + radio)
    }

    /// The radio, where its powers are known. Its delays are worth knowing even where the processor's powers are not.
    pub fn radio(&self) -> Option<&RadioModel> {
        self.radio.as_ref()
    }

    /// Whether a local and a remote run can be compared by energy.
    pub fn is_complete(&self) -> bool {
        self.running.is_some() && self.radio.is_some()
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
    use crate::radio::Exchange;

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
    fn a_remote_run_pays_for_the_radio_and_its_tail() {
        let pi = model("raspberry-pi-4b");
        let exchange = Exchange { up_time: SECOND, down_time: SECOND, ..Exchange::default() };
        let radio = pi.radio().expect("known").marginal(None, &exchange);
        // 0.37 W more than silence for two seconds, then 0.22 W more for 0.22 s.
        let above = 370_000 * 2 + 220_000 * 220 / 1_000;
        assert_eq!(radio.energy, Energy::from_microjoules(above));
        let whole = pi.remote(SECOND * 2, radio.energy);
        assert_eq!(whole, Some(Energy::from_microjoules(2_290_000 * 2 + above)));
    }

    #[test]
    fn what_the_profile_does_not_know_the_model_does_not_invent() {
        let unknown = EnergyModel::new(&DeviceProfile::unknown());
        assert_eq!(unknown.running(SECOND), None);
        assert_eq!(unknown.remote(SECOND, Energy::ZERO), None);
        assert_eq!(unknown.quality(), FigureQuality::Unknown);
        assert_eq!(model("raspberry-pi-5").quality(), FigureQuality::Modelled);
    }
}
