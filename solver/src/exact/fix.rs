//! What a flow proves about single vertices: whoever would have to pay more than there is to pay stays where it is.
//!
//! After a maximum flow the cost of any choice is that of the cut plus what it makes pay of the residual network: the
//! residual terminal of every vertex that is on the other side, and the residual of every arc it cuts. A vertex that
//! changes sides pays its own terminal, and for each neighbour either the arc between them or the neighbour's terminal.

use crate::cut::Network;

/// Where a vertex is in the cut, and what it costs at least, in the cut's units, that it is in the other place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stake {
    pub(super) away: bool,
    pub(super) extra: i64,
}

/// Decides vertices that cannot be otherwise in a choice that costs at most `most` more than the cut. Returns whether
/// there may be such a choice: not if a vertex can be in neither place.
pub(super) fn decide(network: &Network, most: i64, decided: &mut [Option<bool>]) -> bool {
    if most < 0 {
        return false;
    }
    for (vertex, decided) in decided.iter_mut().enumerate() {
        let stake = stake(network, vertex, most);
        if stake.extra <= most {
            continue;
        }
        if decided.is_some_and(|decided| decided != stake.away) {
            return false;
        }
        *decided = Some(stake.away);
    }
    true
}

/// What is at stake with a vertex; not looked into beyond `enough`.
pub(super) fn stake(network: &Network, vertex: usize, enough: i64) -> Stake {
    let terminal = network.residual_terminal(vertex);
    let away = network.is_source(vertex);
    let towards = |terminal: i64| if away { terminal.max(0) } else { (-terminal).max(0) };
    let mut extra = towards(terminal);
    for (neighbour, there, back) in network.residual_edges(vertex) {
        if extra > enough {
            break;
        }
        let arc = if away { back } else { there };
        extra = extra.saturating_add(arc.min(towards(network.residual_terminal(neighbour))));
    }
    Stake { away, extra }
}
