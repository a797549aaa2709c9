//! Peers that speak QUIC and TLS well, and our framing badly.

use outboard_core::ByteCount;
use outboard_transport::{Link, LinkError, Listener, TransportConfig, Violation};
use quinn::{Connection, SendStream};

use crate::support::{config, end_of, listen, raw_client, received, within};

/// A server's link and the raw client at its other end.
struct Hostile {
    client: Connection,
    small: SendStream,
    server: Link,
    _listener: Listener,
}

impl Hostile {
    async fn new(config: TransportConfig) -> Self {
        let (mut listener, address) = listen(config);
        let client = async {
            let client = raw_client(&address, b"outboard/1").await.unwrap();
            let (mut small, _receive) = client.open_bi().await.unwrap();
            small.write_all(b"OUT1").await.unwrap();
            (client, small)
        };
        let ((client, small), server) = within(async { tokio::join!(client, listener.accept()) }).await;
        Self { client, small, server: server.unwrap(), _listener: listener }
    }

    /// The violation that the server saw. The client has been told as well.
    async fn violation(&mut self) -> Violation {
        let LinkError::Violation(violation) = end_of(&mut self.server).await else {
            panic!("not a violation")
        };
        let told = within(self.client.closed()).await;
        assert!(told.to_string().contains(&violation.to_string()), "{told}");
        assert_eq!(end_of(&mut self.server).await, LinkError::Violation(violation.clone()));
        assert_eq!(self.server.ended(), Some(LinkError::Violation(violation.clone())));
        violation
    }

    async fn bulk(&self, bytes: &[u8]) -> SendStream {
        let mut stream = self.client.open_uni().await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }
}

fn frame(announced: u32, bytes: &[u8]) -> Vec<u8> {
    [&announced.to_le_bytes()[..], bytes].concat()
}

fn small_frames() -> TransportConfig {
    config(|config| config.frame_bytes = 1_000)
}

#[tokio::test]
async fn an_oversize_length_on_the_small_lane_ends_the_link() {
    let mut hostile = Hostile::new(small_frames()).await;
    hostile.small.write_all(&frame(1_001, b"")).await.unwrap();
    assert_eq!(hostile.violation().await, Violation::FrameTooLarge { size: 1_001, limit: 1_000 });
}

#[tokio::test]
async fn an_oversize_length_on_a_bulk_stream_ends_the_link() {
    let mut hostile = Hostile::new(small_frames()).await;
    let _stream = hostile.bulk(&frame(u32::MAX, b"")).await;
    assert_eq!(hostile.violation().await, Violation::FrameTooLarge { size: u32::MAX, limit: 1_000 });
}

#[tokio::test]
async fn a_bulk_stream_that_ends_within_its_frame_ends_the_link() {
    for bytes in [&b""[..], &b"\x05\0"[..], &frame(5, b"1234")] {
        let mut hostile = Hostile::new(TransportConfig::default()).await;
        hostile.bulk(bytes).await.finish().unwrap();
        assert_eq!(hostile.violation().await, Violation::CutFrame);
    }
}

#[tokio::test]
async fn a_bulk_stream_that_goes_on_after_its_frame_ends_the_link() {
    for bytes in [frame(0, b"1"), frame(5, b"123456")] {
        let mut hostile = Hostile::new(TransportConfig::default()).await;
        let _stream = hostile.bulk(&bytes).await;
        assert_eq!(hostile.violation().await, Violation::TrailingBytes);
    }
}

#[tokio::test]
async fn a_bulk_frame_counts_only_once_its_stream_is_finished() {
    let mut hostile = Hostile::new(TransportConfig::default()).await;
    let mut whole_but_taken_back = hostile.bulk(&frame(5, b"12345")).await;
    let mut half_and_taken_back = hostile.bulk(&frame(5, b"12")).await;
    whole_but_taken_back.reset(0_u32.into()).unwrap();
    half_and_taken_back.reset(0_u32.into()).unwrap();
    hostile.bulk(&frame(3, b"abc")).await.finish().unwrap();
    assert_eq!(received(&mut hostile.server).await, b"abc");
}

#[tokio::test]
async fn a_small_lane_that_ends_alone_ends_the_link() {
    let mut hostile = Hostile::new(TransportConfig::default()).await;
    hostile.small.finish().unwrap();
    assert_eq!(hostile.violation().await, Violation::SmallLaneEnded);
    let mut hostile = Hostile::new(TransportConfig::default()).await;
    hostile.small.reset(0_u32.into()).unwrap();
    assert_eq!(hostile.violation().await, Violation::SmallLaneEnded);
}

#[tokio::test]
async fn stalled_bulk_streams_are_few_and_leave_the_small_lane_open() {
    let mut hostile = Hostile::new(config(|config| {
        config.frame_bytes = 1_000_000;
        config.unfinished = ByteCount::from_bytes(1_500_000);
        config.stream_window = ByteCount::from_bytes(64 << 10);
        config.bulk_streams = 3;
    }))
    .await;
    let mut stalled = Vec::new();
    for _ in 0..3 {
        // Each fills its window. The second and third announce more than may be assembled at once.
        stalled.push(hostile.bulk(&frame(1_000_000, &[0; 65_532])).await);
    }
    // A fourth cannot even be opened.
    tokio::select! {
        biased;
        _ = hostile.client.open_uni() => panic!("three bulk streams are the limit"),
        () = tokio::task::yield_now() => {}
    }
    hostile.small.write_all(&frame(2, b"hi")).await.unwrap();
    assert_eq!(received(&mut hostile.server).await, b"hi");
    // Once the first one goes on, all of them come to their end.
    let rest = vec![0; 1_000_000 - 65_532];
    let client = async {
        for stream in &mut stalled {
            stream.write_all(&rest).await.unwrap();
            stream.finish().unwrap();
        }
    };
    let server = async {
        for _ in 0..3 {
            assert_eq!(received(&mut hostile.server).await.len(), 1_000_000);
        }
    };
    within(async { tokio::join!(client, server) }).await;
}

#[tokio::test]
async fn a_peer_that_turns_a_frame_away_ends_the_link() {
    let mut hostile = Hostile::new(TransportConfig::default()).await;
    hostile.server.sender().send(outboard_wire::Lane::Bulk, vec![0; 100_000]).unwrap();
    let mut stream = within(hostile.client.accept_uni()).await.unwrap();
    stream.stop(0_u32.into()).unwrap();
    assert_eq!(hostile.violation().await, Violation::FrameRefused);
}

#[tokio::test]
async fn a_peer_that_never_reads_fills_no_more_than_the_queue() {
    let hostile = Hostile::new(config(|config| {
        config.frame_bytes = 100_000;
        config.queue = ByteCount::from_bytes(1_000_000);
    }))
    .await;
    let sender = hostile.server.sender();
    let taken =
        (0..).take_while(|_| sender.send(outboard_wire::Lane::Bulk, vec![0; 100_000]).is_ok()).count();
    assert!((9..=10).contains(&taken), "{taken} frames of 100 kB went into a queue of 1 MB");
    // Empty frames cost something too, or any number of them would fit.
    let empty = (0..).take_while(|_| sender.send(outboard_wire::Lane::Bulk, Vec::new()).is_ok()).count();
    assert!(empty < 1_000, "{empty} empty frames went into what was left");
}
