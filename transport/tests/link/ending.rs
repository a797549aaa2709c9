//! How links end, and that they never end with half a frame.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use outboard_transport::{CloseReason, Connector, Identity, Link, LinkError, SendError, TransportConfig};
use outboard_wire::Lane;

use crate::support::{
    Pair, SendFrame as _, ServerProcess, config, end_of, loopback, pattern, received, within,
};

async fn connected_to(
    process: &ServerProcess,
    identity: &Identity,
    config: TransportConfig,
) -> (Connector, Link) {
    let connector = Connector::new(config).unwrap();
    let address = identity.address(process.address.ip(), process.address.port());
    let link = within(connector.connect(&address)).await.unwrap();
    (connector, link)
}

/// Says that it is about to send, and sends for longer than a window lasts.
async fn send_at_length(link: Link) {
    link.bulk(pattern(1, 20_000_000));
    link.small(*b"on its way");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_peer_that_closes_says_why() {
    let mut pair = Pair::new().await;
    pair.server.close(CloseReason::GoingAway, "update tonight");
    let ended = end_of(&mut pair.device).await;
    let expected =
        LinkError::ClosedByPeer { reason: CloseReason::GoingAway, detail: "update tonight".into() };
    assert_eq!(ended, expected);
    assert_eq!(end_of(&mut pair.device).await, expected);
    assert_eq!(pair.device.sender().send(Lane::Small, vec![1]), Err(SendError::Ended(expected)));
    assert_eq!(end_of(&mut pair.server).await, LinkError::ClosedHere);
}

#[tokio::test]
async fn what_arrived_before_the_end_is_delivered_before_the_error() {
    let mut pair = Pair::new().await;
    // Three frames of one packet: who has the first of them has them all.
    for frame in [b"some", b"last", b"word"] {
        pair.server.small(*frame);
    }
    assert_eq!(received(&mut pair.device).await, b"some");
    pair.server.close(CloseReason::Done, "");
    within(async {
        while pair.device.ended().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(received(&mut pair.device).await, b"last");
    assert_eq!(received(&mut pair.device).await, b"word");
    let expected = LinkError::ClosedByPeer { reason: CloseReason::Done, detail: String::new() };
    assert_eq!(end_of(&mut pair.device).await, expected);
}

#[tokio::test]
async fn a_listener_that_closes_in_mid_frame_is_heard_too() {
    let mut pair = Pair::new().await;
    pair.server.bulk(pattern(1, 20_000_000));
    pair.server.small(*b"on its way");
    assert_eq!(received(&mut pair.device).await, b"on its way");
    pair.listener.close(CloseReason::GoingAway, "");
    let expected = LinkError::ClosedByPeer { reason: CloseReason::GoingAway, detail: String::new() };
    assert_eq!(end_of(&mut pair.device).await, expected);
}

#[tokio::test]
async fn a_link_that_is_dropped_ends_at_both_ends() {
    let mut pair = Pair::new().await;
    let sender = pair.server.sender();
    drop(pair.server);
    let expected = LinkError::ClosedByPeer { reason: CloseReason::Dropped, detail: String::new() };
    assert_eq!(end_of(&mut pair.device).await, expected);
    assert_eq!(sender.send(Lane::Bulk, vec![1]), Err(SendError::Ended(LinkError::ClosedHere)));
}

#[tokio::test]
async fn a_listener_that_closes_ends_every_link_with_its_reason() {
    let mut pair = Pair::new().await;
    pair.listener.close(CloseReason::GoingAway, "shut down");
    within(pair.listener.wait_idle()).await;
    assert!(matches!(
        end_of(&mut pair.device).await,
        LinkError::ClosedByPeer { reason: CloseReason::GoingAway, .. }
    ));
    assert!(within(pair.listener.accept()).await.is_none());
}

#[tokio::test]
async fn a_link_dropped_in_mid_frame_delivers_no_part_of_it() {
    let mut pair = Pair::new().await;
    pair.server.bulk(pattern(1, 20_000_000));
    pair.server.small(*b"on its way");
    assert_eq!(received(&mut pair.device).await, b"on its way");
    drop(pair.server);
    let expected = LinkError::ClosedByPeer { reason: CloseReason::Dropped, detail: String::new() };
    assert_eq!(end_of(&mut pair.device).await, expected);
}

#[tokio::test]
async fn a_server_killed_in_mid_frame_times_out_and_delivers_no_part_of_it() {
    let identity = Arc::new(Identity::generate().unwrap());
    let process =
        ServerProcess::start(loopback(), Arc::clone(&identity), TransportConfig::default(), send_at_length)
            .await;
    let quick = config(|config| config.idle_timeout = Duration::from_secs(2));
    let (_connector, mut device) = connected_to(&process, &identity, quick).await;
    // The frame is five windows long and nobody has read of it, so it cannot be over yet.
    assert_eq!(received(&mut device).await, b"on its way");
    process.kill();
    assert_eq!(end_of(&mut device).await, LinkError::TimedOut);
}

#[tokio::test]
async fn a_restarted_server_is_noticed_at_once() {
    let identity = Arc::new(Identity::generate().unwrap());
    let start = |at| {
        ServerProcess::start(
            at,
            Arc::clone(&identity),
            TransportConfig::default(),
            |mut link: Link| async move {
                link.small(*b"hello");
                while link.recv().await.is_ok() {}
            },
        )
    };
    let process = start(loopback()).await;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, process.address.port()));
    // Far longer than the test may take: it is not the idle time that ends this link.
    let patient = config(|config| config.idle_timeout = Duration::from_secs(3600));
    let (_connector, mut device) = connected_to(&process, &identity, patient).await;
    assert_eq!(received(&mut device).await, b"hello");
    process.kill();
    let restarted = start(at).await;
    device.bulk(pattern(1, 10_000));
    assert_eq!(end_of(&mut device).await, LinkError::Reset);
    restarted.kill();
}

#[tokio::test]
async fn a_runtime_that_ends_under_a_link_is_an_error_for_those_who_still_send() {
    let (sent, sender) = tokio::sync::oneshot::channel();
    let identity = Arc::new(Identity::generate().unwrap());
    let process = ServerProcess::start(
        loopback(),
        Arc::clone(&identity),
        TransportConfig::default(),
        |link| async move {
            sent.send(link.sender()).unwrap();
            std::future::pending::<()>().await;
            drop(link);
        },
    )
    .await;
    let (_connector, _device) = connected_to(&process, &identity, TransportConfig::default()).await;
    let sender = within(sender).await.unwrap();
    sender.send(Lane::Small, vec![1]).unwrap();
    process.kill();
    assert!(matches!(sender.send(Lane::Small, vec![1]), Err(SendError::Ended(_))));
    assert!(matches!(sender.send(Lane::Bulk, vec![1]), Err(SendError::Ended(_))));
}
