//! What makes two processes runs of the same app.

use outboard_core::InstanceId;
use outboard_wire::frame::AppIdentity;

use crate::{planning, registry};

/// A package with annotated methods, as the compiler saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct App {
    /// The package's name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// `OUTBOARD_BUILD_ID` when it was compiled; empty when not set.
    pub build: &'static str,
}

/// This app, as device and server compare it: the packages whose annotated methods are linked into it.
///
/// Taken from the methods and not from the file that runs, which may be called otherwise on the other machine.
pub(crate) fn of_this_app() -> AppIdentity {
    let of_app = registry::methods_from(0).into_iter().filter(|method| !planning::is_planning(method));
    let mut packages: Vec<App> = of_app.map(|method| method.descriptor().app).collect();
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        // Nothing to offload; a server is still asked, and says what is wrong.
        let path = std::env::current_exe().unwrap_or_default();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        return AppIdentity { name, ..AppIdentity::default() };
    }
    let joined = |part: fn(&App) -> &'static str| {
        let parts: Vec<_> = packages.iter().map(part).collect();
        parts.join("+")
    };
    AppIdentity {
        name: joined(|package| package.name),
        version: joined(|package| package.version),
        build: if packages.iter().all(|package| package.build.is_empty()) {
            String::new()
        } else {
            joined(|package| package.build)
        },
    }
}

/// A number for this run. It need not be secret, only another one each time.
pub(crate) fn instance() -> InstanceId {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        return InstanceId(now.as_nanos() ^ (u128::from(std::process::id()) << 96));
    }
    InstanceId(u128::from_le_bytes(bytes))
}
