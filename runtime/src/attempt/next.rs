//! The next server, for a call that the one it was sent to does not run.

use outboard_client_proxy::{Decision, Offer, Request};

use crate::device::Device;
use crate::method::Method;

/// What another server offers for a call that did not run, if one is worth it.
pub(super) fn server(method: &'static Method, device: &Device, offer: &Offer) -> Option<Box<Offer>> {
    let request = Request { tried: offer.request.tried.and(offer), ..offer.request };
    let (Decision::Remote(next), _) = device.decide(&request) else { return None };
    tracing::debug!(method = method.descriptor().title(), server = %next.server, "tries the next server");
    Some(Box::new(next))
}
