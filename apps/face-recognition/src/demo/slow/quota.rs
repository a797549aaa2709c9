//! A process in a control group of its own that may use the processor for a part of the time
//! (`Documentation/admin-guide/cgroup-v2.rst` of the kernel: `cpu.max`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::process::Pid;

use crate::options::DeviceSpeed;

const PREFIX: &str = "outboard-device-";

/// The group; dropping it removes it, once the process has ended.
#[derive(Debug)]
pub(super) struct Quota {
    group: PathBuf,
}

impl Quota {
    /// Puts the process into a new group with that share of one processor. `None` where the kernel does not have this
    /// or this user may not do it.
    ///
    /// The new group must lie beneath one that hands the processor's controller down; the own group cannot do that as
    /// long as there are processes in it, so the groups above it are tried, too. No setting of theirs is changed.
    pub(super) fn impose(root: &Path, pid: Pid, speed: DeviceSpeed, period: Duration) -> Option<Self> {
        let groups = root.join("sys/fs/cgroup");
        let own = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
        // Version 2 is hierarchy 0 and has no list of controllers.
        let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let parents =
            Path::new(own).ancestors().map(|group| groups.join(group)).filter(|group| hands_down(group));
        parents.into_iter().find_map(|parent| {
            sweep(root, &parent);
            Self::beneath(&parent, pid, speed, period).ok()
        })
    }

    fn beneath(parent: &Path, pid: Pid, speed: DeviceSpeed, period: Duration) -> io::Result<Self> {
        // The name says who made it, so that others can see whether it is still needed.
        let group = parent.join(format!("{PREFIX}{}-{pid}", std::process::id()));
        fs::create_dir(&group)?;
        let quota = Self { group };
        let micros = period.as_micros();
        let share = (micros as f64 * speed.as_f64()).round();
        fs::write(quota.group.join("cpu.max"), format!("{share} {micros}"))?;
        fs::write(quota.group.join("cgroup.procs"), pid.to_string())?;
        Ok(quota)
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // The kernel needs a moment to see that the group is empty, and tells nobody when it has.
        for _ in 0..50 {
            match fs::remove_dir(&self.group) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                    thread::sleep(Duration::from_millis(2))
                }
                Ok(()) | Err(_) => break,
            }
        }
    }
}

fn hands_down(group: &Path) -> bool {
    let handed = fs::read_to_string(group.join("cgroup.subtree_control"));
    handed.is_ok_and(|controllers| controllers.split_whitespace().any(|name| name == "cpu"))
}

/// Removes groups whose maker was killed before it could.
fn sweep(root: &Path, parent: &Path) {
    let names = fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.file_name());
    for name in names.filter_map(|name| name.into_string().ok()) {
        let maker = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if maker.is_some_and(|maker| !root.join("proc").join(maker).exists()) {
            // The kernel refuses this as long as a process is in the group.
            let _ = fs::remove_dir(parent.join(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A tree like that of the kernel, where `handed` says which groups hand the processor's controller down.
    fn kernel(own: &str, handed: &[&str]) -> TempDir {
        let root = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("not the root")).expect("the folder is ours");
            fs::write(path, text).expect("the folder is ours");
        };
        write("proc/self/cgroup", own);
        write("sys/fs/cgroup/cgroup.subtree_control", "memory pids");
        for group in handed {
            write(&format!("sys/fs/cgroup/{group}/cgroup.subtree_control"), "cpuset cpu memory");
        }
        root
    }

    fn impose(root: &TempDir) -> Option<Quota> {
        let speed = DeviceSpeed::new(0.2).expect("in range");
        let pid = Pid::from_raw(4_711).expect("not zero");
        Quota::impose(root.path(), pid, speed, Duration::from_millis(10))
    }

    #[test]
    fn the_group_lies_beneath_the_nearest_that_hands_the_controller_down() {
        let root = kernel("0::/user/app/scope\n", &["user", "user/app"]);
        let quota = impose(&root).expect("app hands it down");
        assert_eq!(quota.group.parent(), Some(root.path().join("sys/fs/cgroup/user/app").as_path()));
        assert_eq!(fs::read_to_string(quota.group.join("cpu.max")).expect("written"), "2000 10000");
        assert_eq!(fs::read_to_string(quota.group.join("cgroup.procs")).expect("written"), "4711");
    }

    #[test]
    fn without_version_2_or_without_the_controller_there_is_no_quota() {
        assert!(impose(&kernel("5:cpu:/\n1:name=systemd:/\n", &["user"])).is_none());
        assert!(impose(&kernel("0::/user/app\n", &[])).is_none());
    }

    #[test]
    fn the_group_is_removed_when_it_is_empty() {
        let root = kernel("0::/user\n", &["user"]);
        let quota = impose(&root).expect("user hands it down");
        let group = quota.group.clone();
        // The kernel's files go with the folder; these are real ones.
        for file in ["cpu.max", "cgroup.procs"] {
            fs::remove_file(group.join(file)).expect("it was written");
        }
        drop(quota);
        assert!(!group.exists());
    }

    #[test]
    fn groups_that_a_killed_demo_left_are_swept_and_others_are_not() {
        let root = kernel("0::/user\n", &["user"]);
        let user = root.path().join("sys/fs/cgroup/user");
        for group in ["outboard-device-99-7", "outboard-device-98-7", "someone-else-99"] {
            fs::create_dir(user.join(group)).expect("the folder is ours");
        }
        fs::create_dir_all(root.path().join("proc/98")).expect("the folder is ours");
        let _quota = impose(&root).expect("user hands it down");
        assert!(!user.join("outboard-device-99-7").exists(), "its maker is gone");
        assert!(user.join("outboard-device-98-7").exists(), "its maker lives");
        assert!(user.join("someone-else-99").exists());
    }
}
