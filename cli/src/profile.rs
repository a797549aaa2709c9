//! Device profiles as files and by name.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use outboard_profiler::{DeviceProfile, RadioFile, RadioProfile};

use crate::failure::Failure;

/// Far above any profile; what is longer is another kind of file.
const MOST_BYTES: u64 = 1 << 20;

/// Makes a profile of an Android phone's file, or of what ARO or EnergyBox say of a radio; EnergyBox has a file of the network
/// and one of the device.
pub(crate) fn import(file: &Path, device: Option<&Path>, output: Option<&Path>) -> Result<(), Failure> {
    let text = read(file)?;
    let name = name_of(file);
    let kind = file.extension().unwrap_or_default();
    let profile = match device {
        None if kind.eq_ignore_ascii_case("conf") => {
            of_radio(&name, RadioProfile::from_aro(RadioFile { name: &name, text: &text })?)
        }
        None => DeviceProfile::import_android(&name, &text)?,
        Some(device) => {
            let (own, its) = (name_of(device), read(device)?);
            let network = RadioFile { name: &name, text: &text };
            let device = RadioFile { name: &own, text: &its };
            of_radio(&own, RadioProfile::from_energybox(network, device)?)
        }
    };
    write(&profile.to_toml(), output)
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
    write(&find(profile)?.to_toml(), None)
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
    Ok(DeviceProfile::parse(&name, &read(profile)?)?)
}

/// Writes to a file, or to standard output.
pub(crate) fn write(text: &str, output: Option<&Path>) -> Result<(), Failure> {
    match output {
        None => Ok(std::io::stdout().write_all(text.as_bytes())?),
        Some(path) => {
            std::fs::write(path, text).map_err(|source| Failure::Write { path: path.to_owned(), source })
        }
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let failure = |source| Failure::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(failure)?;
    let read = file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(failure)?;
    if read as u64 > MOST_BYTES {
        return Err(Failure::TooLong { path: path.to_owned(), most: MOST_BYTES });
    }
    Ok(text)
}
