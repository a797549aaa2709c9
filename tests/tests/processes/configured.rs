//! Settings that cannot be used: the program says which, where it was set and what it may be, and ends with 2.

use std::path::Path;
use std::process::Command;

use outboard_tests::process::DeviceProcess;

use crate::APP;

/// What the program says when it starts like this, and its exit code.
fn start(set: impl FnOnce(&mut Command)) -> (Option<i32>, String) {
    let mut device = DeviceProcess::start(APP, set);
    let (status, log) = device.ended();
    (status.code(), log.join("\n"))
}

/// The program does not start, and what it says has all of these words.
#[track_caller]
fn is_refused(set: impl FnOnce(&mut Command), told: &[&str]) {
    let (code, said) = start(set);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with("error: "), "{said}");
    for words in told {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
}

fn in_file(directory: &Path, text: &str) -> impl FnOnce(&mut Command) {
    std::fs::write(directory.join("outboard.toml"), text).expect("the directory is ours");
    let directory = directory.to_owned();
    move |command| {
        command.current_dir(directory);
    }
}

#[test]
fn variables_that_cannot_be_used() {
    for (name, value, told) in [
        ("OUTBOARD_POLICY", "always", &["`policy`", "`always`", "use `plan`, `device` or `server`"][..]),
        ("OUTBOARD_OBJECTIVE", "speed", &["`objective`", "`speed`", "use `time`, `energy` or `battery`"]),
        ("OUTBOARD_RISK", "none", &["`risk`", "`none`", "use `usual`, `expected` or `averse`"]),
        ("OUTBOARD_PLANNING", "cloud", &["`planning`", "`cloud`", "use `device` or `server`"]),
        ("OUTBOARD_SLOWDOWN", "-1", &["`slowdown`", "`-1`", "use a number from 0 to 100"]),
        ("OUTBOARD_SLOWDOWN", "much", &["`slowdown`", "`much`", "use a number such as 0.4"]),
        ("OUTBOARD_EXPLORATION", "7", &["`exploration`", "`7`", "use a number from 0 to 1"]),
        ("OUTBOARD_SERVER", "edge.local:4433", &["`server`", "`edge.local:4433`", "outboard://"]),
        ("OUTBOARD_DEVICE_PROFILE", "toaster", &["`device_profile`", "`toaster`", "one of"]),
    ] {
        let set = |command: &mut Command| {
            command.env(name, value);
        };
        let place = format!("the environment ({name})");
        is_refused(set, &[told, &[place.as_str()]].concat());
    }
}

#[test]
fn a_token_in_a_bad_address_is_not_shown() {
    let set = |command: &mut Command| {
        command.env("OUTBOARD_SERVER", "outboard://host:1#key.secret");
    };
    let (code, said) = start(set);
    assert_eq!(code, Some(2));
    assert!(said.contains("`server`") && !said.contains("secret"), "{said}");
}

#[test]
fn files_that_cannot_be_used() {
    let directory = tempfile::tempdir().expect("a directory to run in");
    for (text, told) in [
        ("polcy = \"plan\"", &["outboard.toml", "polcy", "policy, objective"][..]),
        ("policy = \"never\"", &["`policy` in outboard.toml is `never`", "use `plan`"]),
        ("slowdown = 1000", &["`slowdown` in outboard.toml is `1000`", "from 0 to 100"]),
        ("slowdown = \"much\"", &["outboard.toml", "slowdown"]),
        ("listen = \"here\"", &["`listen` in outboard.toml is `here`", "127.0.0.1:4433"]),
        ("this is no TOML", &["outboard.toml cannot be used"]),
    ] {
        is_refused(in_file(directory.path(), text), told);
    }
    let set = |command: &mut Command| {
        command.env("OUTBOARD_CONFIG", "nowhere.toml");
    };
    is_refused(set, &["nowhere.toml cannot be read", "unset OUTBOARD_CONFIG"]);
}

#[test]
fn options_of_serve_that_cannot_be_used() {
    for (options, told) in [
        (&["--listen", "everywhere"][..], &["`listen`", "the command line (--listen)", "0.0.0.0:4433"][..]),
        (&["--workers", "none"], &["`workers`", "the command line (--workers)", "`none`", "a whole number"]),
        (&["--workers=0"], &["`workers`", "the command line (--workers)", "`0`", "from 1 to 4096"]),
        (&["--public-host", "a b"], &["`public_host`", "the command line (--public-host)", "`a b`"]),
        (&["--listen"], &["`--listen` needs a value", "usage: serve"]),
        (&["--port", "4433"], &["`--port` is not an option of `serve`", "usage: serve"]),
    ] {
        let set = |command: &mut Command| {
            command.arg("serve").args(options);
        };
        is_refused(set, told);
    }
    let set = |command: &mut Command| {
        command.arg("serve").env("OUTBOARD_WORKERS", "5000");
    };
    is_refused(set, &["`workers`", "the environment (OUTBOARD_WORKERS)", "`5000`", "from 1 to 4096"]);
    let set = |command: &mut Command| {
        command.arg("serve").env_remove("HOME");
    };
    is_refused(set, &["no place for the server's key", "OUTBOARD_STATE_DIR"]);
    let set = |command: &mut Command| {
        command.args(["serve", "--listen", "192.0.2.1:4433"]);
    };
    is_refused(set, &["192.0.2.1:4433"]);
}

#[test]
fn a_directory_that_cannot_hold_the_key_is_named() {
    let file = tempfile::NamedTempFile::new().expect("a file can be made");
    let name = file.path().display().to_string();
    let set = |command: &mut Command| {
        command.args(["serve", "--state-dir", &name]);
    };
    is_refused(set, &[&name]);
}

#[test]
fn whoever_asks_for_help_gets_it() {
    let help = Command::new(APP).args(["serve", "--help"]).output().expect("the program starts");
    let said = String::from_utf8_lossy(&help.stdout).into_owned();
    assert_eq!(help.status.code(), Some(0));
    assert!(said.starts_with("usage: serve") && said.contains("OUTBOARD_STATE_DIR"), "{said}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port of loopback can be had");
    let address = taken.local_addr().expect("a bound socket has an address").to_string();
    let set = |command: &mut Command| {
        command.args(["serve", "--listen", &address]);
    };
    is_refused(set, &[&address]);
}

#[test]
fn the_environment_overrides_the_file() {
    let directory = tempfile::tempdir().expect("a directory to run in");
    let in_file = in_file(directory.path(), "slowdown = 1000");
    let mut device = DeviceProcess::start(APP, |command| {
        in_file(command);
        command.env("OUTBOARD_SLOWDOWN", "0.3");
    });
    assert_eq!(device.call_here("add 2 3"), "5");
    drop(device.end());
}

#[test]
fn a_variable_that_nobody_reads_is_told_with_the_one_that_was_meant() {
    let mut device = DeviceProcess::start(APP, |command| {
        command.env("OUTBOARD_SEVER", "outboard://host:1#key.token").env_remove("OUTBOARD_LOG");
    });
    assert_eq!(device.call_here("add 2 3"), "5");
    let log = device.end().join("\n");
    assert!(log.contains(" WARN ") && log.contains("OUTBOARD_SEVER is not known"), "{log}");
    assert!(log.contains("is OUTBOARD_SERVER meant?") && !log.contains("token"), "{log}");
}
