use serde::Serialize;

use super::*;
use crate::codec::{from_bytes, to_bytes};

#[test]
fn clones_are_one_value() {
    let one = Shared::new(vec![1]);
    let other = one.clone();
    other.lock().push(2);
    assert_eq!(*one.lock(), [1, 2]);
    assert!(one.ptr_eq(&other));
    assert!(!one.ptr_eq(&Shared::new(vec![1, 2])));
}

#[test]
fn a_panic_under_the_lock_poisons_nothing() {
    let shared = Shared::new(1);
    let handle = shared.clone();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        *handle.lock() = 2;
        let _held = handle.lock();
        panic!("while it was locked");
    }));
    assert!(panicked.is_err());
    assert_eq!(*shared.lock(), 2);
    assert_eq!(format!("{shared:?}"), "Shared(2)");
}

#[test]
fn what_is_locked_is_shown_as_that() {
    #[derive(Debug, Default)]
    struct Node {
        next: Option<Shared<Node>>,
    }
    let node = Shared::new(Node::default());
    node.lock().next = Some(node.clone());
    assert_eq!(format!("{node:?}"), "Shared(Node { next: Some(Shared(<locked>)) })");
    node.lock().next = None;
}

#[test]
fn serde_writes_the_value_and_a_call_refuses_to() {
    #[derive(Serialize, serde::Deserialize)]
    struct Holder(Shared<u32>);
    let config = bincode::config::standard().with_fixed_int_encoding();
    let bytes = bincode::serde::encode_to_vec(Holder(Shared::new(7)), config).expect("a number");
    assert_eq!(bytes, 7u32.to_le_bytes());
    let (holder, _): (Holder, _) = bincode::serde::decode_from_slice(&bytes, config).expect("as written");
    assert_eq!(*holder.0.lock(), 7);
    let budget = outboard_core::ByteCount::from_bytes(100);
    assert_eq!(to_bytes(&holder, budget), Err(EncodeError::SharedBySerde));
    assert_eq!(from_bytes::<Holder>(&bytes, 8).err(), Some(DecodeError::SharedBySerde));
}
