//! Runtimes come and go, and calls outlive them.

use outboard::{Runtime, StartError, remoteable};

#[remoteable]
fn squared(number: u32) -> u32 {
    number * number
}

#[test]
fn a_runtime_that_was_dropped_is_in_nobodys_way() {
    let start = || Runtime::builder().without_environment().start();
    let first = start().unwrap();
    assert!(matches!(start(), Err(StartError::AlreadyRunning)));
    let entered = first.enter();
    drop(first);
    assert_eq!(squared(3), 9, "entered still, it runs here");
    let second = start().unwrap();
    drop(entered);
    assert_eq!(squared(4), 16);
    assert!(second.report().methods.iter().any(|method| method.name.ends_with("squared")));
}
