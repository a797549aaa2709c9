//! How fast the processors run, through Linux's cpufreq.

use std::path::Path;

use outboard_core::Frequency;

use super::sysfs;

/// The mean frequency of all processors just now, below a root, `/sys` on a real machine.
///
/// `None` where that cannot be read, as on virtual machines, and where processors are of several kinds: then one figure
/// would say nothing of any of them.
pub fn processor_frequency(root: &Path) -> Option<Frequency> {
    let mut kind = None;
    let mut running: Vec<u64> = Vec::new();
    for folder in sysfs::folders(&root.join("devices/system/cpu")).ok()? {
        let number = folder.file_name().and_then(|name| name.to_str()?.strip_prefix("cpu"));
        if !number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit())) {
            continue;
        }
        // A processor that is switched off has no such folder.
        let Ok(kilohertz) = sysfs::count(&folder.join("cpufreq/scaling_cur_freq")) else { continue };
        let fastest = sysfs::count(&folder.join("cpufreq/cpuinfo_max_freq")).ok()?;
        if *kind.get_or_insert(fastest) != fastest {
            return None;
        }
        running.push(kilohertz);
    }
    let count = u128::try_from(running.len()).ok().filter(|count| *count > 0)?;
    let sum: u128 = running.iter().map(|kilohertz| u128::from(*kilohertz)).sum();
    u64::try_from(sum / count).ok().map(Frequency::from_kilohertz)
}
