//! TLS 1.3 with one known key instead of certificate authorities.

use std::sync::{Arc, Mutex, PoisonError};

use quinn_proto::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, ServerSessionMemoryCache};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, PeerIncompatible, ServerConfig,
    SignatureScheme, version,
};

use crate::credential::ServerKey;
use crate::identity::Identity;

/// The protocol, with its major version: ends that do not share it part in the handshake.
pub(crate) const ALPN: &[u8] = b"outboard/1";

/// Tickets that a server keeps, of a few hundred bytes each. When there are more devices, some begin anew.
const TICKETS: usize = 1_024;

/// Accepts exactly one key, whatever else a certificate says, and remembers which other one it was shown.
#[derive(Debug)]
pub(crate) struct PinnedKey {
    expected: ServerKey,
    shown: Mutex<Option<ServerKey>>,
    provider: Arc<CryptoProvider>,
}

pub(crate) fn server(identity: &Identity) -> Result<QuicServerConfig, Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate()], identity.private_key())?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    // A device that loses its link uses one ticket, and another where that attempt fails.
    config.send_tls13_tickets = 2;
    // Kept in this process and taken out when used: whoever records a resumed handshake and sends it again finds the
    // ticket gone, and what it carried early is not read. This is why tickets are not made to outlive the process.
    config.session_storage = ServerSessionMemoryCache::new(TICKETS);
    // QUIC knows all or nothing (RFC 9001, section 4.6.1); how much is read before the handshake is complete, the
    // windows bound.
    config.max_early_data_size = u32::MAX;
    QuicServerConfig::try_from(config).map_err(|_| no_initial_cipher())
}

pub(crate) fn client(verifier: Arc<PinnedKey>) -> Result<QuicClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&verifier.provider))
        .with_protocol_versions(&[&version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::in_memory_sessions(1);
    config.enable_early_data = true;
    QuicClientConfig::try_from(config).map_err(|_| no_initial_cipher())
}

impl PinnedKey {
    pub(crate) fn new(expected: ServerKey) -> Arc<Self> {
        let provider = Arc::new(ring::default_provider());
        Arc::new(Self { expected, shown: Mutex::new(None), provider })
    }

    /// The key that a server last had instead of the expected one.
    pub(crate) fn wrong_key(&self) -> Option<ServerKey> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertVerifier for PinnedKey {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(certificate)?;
        let shown = ServerKey::of(&certificate.subject_public_key_info());
        if shown == self.expected {
            return Ok(ServerCertVerified::assertion());
        }
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    /// That the certificate has the expected key says nothing yet: anybody can show it. This is the proof that the
    /// server also has the private key.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// `ring` has the cipher suite with which QUIC protects its first packets; a provider without it cannot be used.
fn no_initial_cipher() -> Error {
    Error::General("the cryptographic library lacks TLS13_AES_128_GCM_SHA256, which QUIC needs".to_owned())
}
