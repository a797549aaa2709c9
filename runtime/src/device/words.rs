//! The runtime's words in those of the engine.

use outboard_client_proxy::{MethodInfo, ServerSettings};
use outboard_transport::ServerAddress;

use crate::method::{Method, Word};
use crate::offer::Offered;
use crate::planning;

/// A server as the engine knows it.
pub(crate) fn server_settings(address: &ServerAddress) -> ServerSettings {
    ServerSettings { name: format!("{}:{}", address.host, address.port), token: address.token.reveal() }
}

/// A method as the engine knows it.
pub(super) fn method_info(method: &'static Method, offered: &Offered) -> MethodInfo {
    let descriptor = method.descriptor();
    let kind = match descriptor.kind {
        crate::method::Kind::Remoteable => outboard_client_proxy::Kind::Remoteable,
        crate::method::Kind::Device => outboard_client_proxy::Kind::Device,
    };
    MethodInfo {
        kind,
        once: descriptor.once,
        remote_only: descriptor.remote_only,
        deadline: descriptor.deadline,
        fallback: descriptor.fallback,
        hedge: descriptor.hedge,
        body: descriptor.body(),
        schema: offered.schema,
        compatible: descriptor.compatible,
        obstacle: offered.obstacle.clone(),
        aside: planning::is_planning(method),
        slots: descriptor.slots.iter().map(|slot| slot.name.to_owned()).collect(),
        ..MethodInfo::remoteable(offered.id, descriptor.title())
    }
}

pub(super) fn word_of(word: outboard_client_proxy::Word) -> Word {
    match word {
        outboard_client_proxy::Word::Local => Word::Local,
        outboard_client_proxy::Word::Consult => Word::Consult,
    }
}
