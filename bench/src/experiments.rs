//! What is measured, in the order of GOALS. A new experiment is a file here and a line below.

mod codec;
mod decide;
mod energy_model;
mod faults_equal;
mod faults_worst;
mod local;
mod predict_bandwidth;
mod predict_calibration;
mod predict_time;
mod regret;
mod remote_connect;
mod remote_latency;
mod sim_speed;
mod solver_1000;
mod solver_20000;
mod solver_correct;
mod solver_flip;
mod solver_maui;
mod solver_sizes;
mod state;

use crate::experiment::Experiment;

pub(crate) fn all() -> Vec<Box<dyn Experiment>> {
    vec![
        Box::new(local::Idle),
        Box::new(local::Profiled),
        Box::new(local::Async),
        Box::new(decide::Decide),
        Box::new(remote_latency::RemoteLatency),
        Box::new(remote_connect::RemoteConnect),
        Box::new(state::UNCHANGED),
        Box::new(state::SPARSE),
        Box::new(state::INSERT),
        Box::new(codec::Codec),
        Box::new(solver_maui::SolverMaui),
        Box::new(solver_1000::Solver1000),
        Box::new(solver_20000::Solver20000),
        Box::new(solver_sizes::SolverSizes),
        Box::new(solver_flip::SolverFlip),
        Box::new(solver_correct::SolverCorrect),
        Box::new(energy_model::EnergyModel),
        Box::new(regret::TIME),
        Box::new(regret::ENERGY),
        Box::new(predict_time::PredictTime),
        Box::new(predict_bandwidth::PredictBandwidth),
        Box::new(faults_worst::FaultsWorst),
        Box::new(predict_calibration::PredictCalibration),
        Box::new(faults_equal::FaultsEqual),
        Box::new(sim_speed::SimSpeed),
    ]
}
