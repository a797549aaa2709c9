//! Device profiles as files and by name.

use std::io::Write as _;
use std::path::Path;

use outboard_profiler::{DeviceProfile, RadioFile, RadioProfile};

use crate::failure::Failure;
use crate::file::{self, Kind};

const PROFILE: Kind = Kind { name: "device profile", most: 1 << 20 };

/// Makes a profile of an Android phone's file, or of what ARO or EnergyBox say of a radio; EnergyBox has a file of the network
/// and one of the device.
pub(crate) fn import(file: &Path, device: Option<&Path>, output: Option<&Path>) -> Result<(), Failure> {
    let text = file::read(file, PROFILE)?;
    let name = name_of(file);
    let kind = file.extension().unwrap_or_default();
    let profile = match device {
        None if kind.eq_ignore_ascii_case("conf") => {
            of_radio(&name, RadioProfile::from_aro(RadioFile { name: &name, text: &text })?)
        }
        None => DeviceProfile::import_android(&name, &text)?,
        Some(device) => {
            let (own, its) = (name_of(device), file::read(device, PROFILE)?);
            let network = RadioFile { name: &name, text: &text };
            let device = RadioFile { name: &own, text: &its };
            of_radio(&own, RadioProfile::from_energybox(network, device)?)
        }
    };
    file::write(&profile.to_toml(), output)
}

/// The whole path is in errors, the name alone in the sources of figures: folders differ from machine to machine.
fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

/// A device of which only the radio is known.
fn of_radio(name: &str, radio: RadioProfile) -> DeviceProfile {
    let mut profile = DeviceProfile::unknown();
    profile.name = format!("a device with the radio of {name}");
    profile.radio = radio;
    profile
}

/// Prints a profile as it was understood.
pub(crate) fn show(profile: &Path) -> Result<(), Failure> {
    file::write(&find(profile)?.to_toml(), None)
}

/// Prints the names of the profiles that come along, with what they are.
pub(crate) fn list() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for name in DeviceProfile::built_in_names() {
        writeln!(out, "{name:<24} {}", DeviceProfile::built_in(name)?.name)?;
    }
    Ok(())
}

/// A profile by the name of one that comes along, or by file.
pub(crate) fn find(profile: &Path) -> Result<DeviceProfile, Failure> {
    let name = profile.to_string_lossy();
    if DeviceProfile::built_in_names().any(|known| known == name) {
        return Ok(DeviceProfile::built_in(&name)?);
    }
    // A bare word that is no file is a name that nobody has; the error lists those there are.
    if !profile.exists() && profile.extension().is_none() {
        return Ok(DeviceProfile::built_in(&name)?);
    }
    Ok(DeviceProfile::parse(&name, &file::read(profile, PROFILE)?)?)
}
