//! What Outboard knows: statistics of methods and calls, models of device, energy and network.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only. It learns and predicts; it decides
//! nothing, and measures nothing itself but the machine's load and energy, which hide behind the ports [`LoadMeter`] and
//! [`PowerMeter`]. Time is an argument.
//!
//! ```text
//!  runs here, replies ──► Profile ──────────┐
//!  call times, round trips ► NetworkEstimate ├──► CallGraph ──► solver
//!  device profile file ──► EnergyModel ─────┘     Spread    ──► the bound of a call
//! ```
//!
//! Every prediction is a [`Spread`]: a log-normal distribution, asked for its median or for a quantile.
//!
//! ```
//! use std::time::Duration;
//! use outboard_profiler::{Predictor, Prior, Quantile};
//!
//! let mut time = Predictor::new(Prior::TIME);
//! time.observe(Duration::from_millis(100), Some(1e6));
//! let next = time.predict(Some(2e6)).expect("one sample is enough");
//! assert_eq!(next.median().as_millis(), 200);
//! assert!(next.at(Quantile::P95) > next.median());
//! ```

mod calibrate;
mod cpu;
mod device;
mod energy;
mod load;
mod math;
mod meter;
mod method;
mod network;
mod predictor;
mod profile;
mod queue;
mod radio;
mod reference;
mod snapshot;
mod spread;
mod value;
mod workload;

pub use calibrate::{CalibrationError, ModelError, PowerSample, fit_curve, fit_line, fit_speeds};
pub use cpu::CpuModel;
pub use device::{
    CpuCluster, CpuLevel, CpuProfile, CpuSpeed, DeviceProfile, Figure, FigureQuality, Phase, ProfileError,
    RadioFile, RadioImportError, RadioProfile, TailProfile,
};
pub use energy::EnergyModel;
pub use load::{LoadMeter, SystemLoad};
pub use math::{exp, ln};
pub use meter::{
    Coverage, Detection, Hwmon, LookedFor, MeterError, MeterLabel, Metered, PowerMeter, PowerSupply, Rapl,
    RecordedPower, detect as detect_meter, processor_frequency,
};
pub use method::{LocalCalls, MethodStatistics, RemoteCall};
pub use network::{CallSample, NetworkEstimate, PathSample};
pub use predictor::{Calibration, Predictor, Prior, Summary, Trust, WorkLaw};
pub use profile::{Costing, Profile, Risk};
pub use queue::QueueEstimate;
pub use radio::{Exchange, Radio, RadioCost, RadioModel, RadioState, Transfer};
pub use reference::reference_steps;
pub use snapshot::{MethodSnapshot, Origin, Snapshot, SnapshotError};
pub use spread::{Quantile, Quantity, Spread};
pub use value::{expected, value_of_knowing};
pub use workload::{Score, Workload};
