//! Our links alone: a handshake, a greeting and its answer, then requests. No engine, no methods.

use std::net::Ipv4Addr;
use std::time::Instant;

use outboard_transport::{Connector, Identity, Link, Listener, ServerAddress, TransportConfig};
use outboard_wire::Lane;
use tokio::runtime::{Builder, Runtime};

use crate::arguments::PEER;
use crate::failure::Failure;
use crate::peer::{REPLY, REQUEST, ServerProcess, greet};

pub(crate) const NAME: &str = "link";

/// About what a greeting with a few methods has.
const GREETING: usize = 400;

type Problem = Box<dyn std::error::Error + Send + Sync>;

pub(crate) fn serve() -> Result<(), Failure> {
    runtime().and_then(|runtime| runtime.block_on(accept())).map_err(Failure::of_peer(NAME))
}

async fn accept() -> Result<(), Problem> {
    let identity = Identity::generate()?;
    let mut listener =
        Listener::bind((Ipv4Addr::LOCALHOST, 0).into(), &identity, TransportConfig::default())?;
    let here = listener.local_address()?;
    greet(&identity.address(here.ip(), here.port()).to_string())?;
    while let Some(link) = listener.accept().await {
        tokio::spawn(answer(link));
    }
    Ok(())
}

async fn answer(mut link: Link) {
    while link.recv().await.is_ok() {
        if link.sender().send(Lane::Small, vec![0; REPLY]).is_err() {
            return;
        }
    }
}

/// A server of links.
pub(crate) struct Server(ServerProcess);

impl Server {
    pub(crate) fn start() -> Result<Self, Failure> {
        Ok(Self(ServerProcess::start(NAME, [PEER, NAME])?))
    }

    pub(crate) fn address(&self) -> &str {
        self.0.greeting()
    }
}

/// A device that links to a server again and again.
pub(crate) struct Device {
    runtime: Runtime,
    address: ServerAddress,
    connector: Option<Connector>,
}

impl Device {
    pub(crate) fn of(address: &str) -> Result<Self, Failure> {
        let device = || -> Result<Self, Problem> {
            Ok(Self { runtime: runtime()?, address: address.parse()?, connector: None })
        };
        device().map_err(Failure::of_peer(NAME))
    }

    /// From nothing to a link, in milliseconds.
    pub(crate) fn shake_hands(&mut self) -> Result<f64, Failure> {
        let shaken = self.runtime.block_on(async {
            let connector = Connector::new(TransportConfig::default())?;
            let start = Instant::now();
            let _link = connector.connect(&self.address).await?;
            Ok::<_, Problem>(start.elapsed().as_secs_f64() * 1e3)
        });
        shaken.map_err(Failure::of_peer(NAME))
    }

    /// From nothing to the first reply, in milliseconds.
    pub(crate) fn begin(&mut self) -> Result<f64, Failure> {
        self.connector = None;
        self.again()
    }

    /// From a lost link to the first reply, in milliseconds.
    pub(crate) fn again(&mut self) -> Result<f64, Failure> {
        let Self { runtime, address, connector } = self;
        let replied = runtime.block_on(async {
            let known = connector.is_some();
            let connector = match connector {
                Some(connector) => connector,
                none => none.insert(Connector::new(TransportConfig::default())?),
            };
            let start = Instant::now();
            let mut link = connector.connect_and_greet(address, vec![0; GREETING]).await?;
            link.recv().await?;
            link.sender().send(Lane::Small, vec![0; REQUEST])?;
            link.recv().await?;
            let took = start.elapsed().as_secs_f64() * 1e3;
            if link.is_resumed() == known { Ok(took) } else { Err("the handshake went another way".into()) }
        });
        replied.map_err(|error: Problem| Failure::of_peer(NAME)(error))
    }
}

fn runtime() -> Result<Runtime, Problem> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
