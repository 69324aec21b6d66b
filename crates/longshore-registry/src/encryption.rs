//! Encrypted connections to hosts whose certificates the user has named.
//!
//! A registry of one's own often shows a certificate that is signed by itself and marked as an authority: `openssl req
//! -x509` makes it so, and Docker's documentation says to. Who names that very certificate means this server, as Docker,
//! curl and Git understand it; the usual verification refuses it, because an authority is no server. Here it is accepted
//! if the server shows it as it is, has the right key, its name fits and its time has not passed. All else is the usual
//! verification.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    ALL_VERSIONS, CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore,
    SignatureScheme, StreamOwned,
};
use ureq::Error;
use ureq::tls::Certificate;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    TcpConnector, Transport, TransportAdapter,
};

/// Encrypts connections, if the server can show that it is meant by one of these certificates.
#[derive(Debug)]
pub(crate) struct Encryption {
    config: Arc<ClientConfig>,
}

/// An encrypted connection.
pub(crate) struct Encrypted {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

/// The usual verification, and that of servers whose own certificate was named.
#[derive(Debug)]
struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

/// Opens connections that are encrypted so; the message of an error says what is wrong with the certificates.
pub(crate) fn connector(certificates: &[Certificate<'static>]) -> Result<impl Connector + use<>, String> {
    let encryption = Encryption::new(certificates)?;
    Ok(().chain(ConnectProxyConnector::default()).chain(TcpConnector::default()).chain(encryption))
}

impl Encryption {
    fn new(certificates: &[Certificate<'static>]) -> Result<Self, String> {
        let verifier = Arc::new(Verifier::new(certificates)?);
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(ALL_VERSIONS)
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config) })
    }
}

impl Verifier {
    fn new(certificates: &[Certificate<'static>]) -> Result<Self, String> {
        let named: Vec<_> =
            certificates.iter().map(|each| CertificateDer::from(each.der().to_vec())).collect();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(named.iter().cloned());
        let provider = Arc::new(ring::default_provider());
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        Ok(Self { usual: usual.map_err(|error| error.to_string())?, named })
    }
}

impl<In: Transport> Connector<In> for Encryption {
    type Out = Either<In, Encrypted>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|_| Error::Tls("its name is none for certificates"))?;
        let mut conn = ClientConnection::new(Arc::clone(&self.config), name)?;
        let mut sock = TransportAdapter::new(transport.boxed(), Arc::clone(&details.current_time));
        sock.set_timeout(details.timeout);
        conn.complete_io(&mut sock)?;
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(Encrypted { buffers, stream: StreamOwned { conn, sock } })))
    }
}

impl Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Encrypted").finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let usual = &self.usual;
        match usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(error) if is_authority(&error) && self.named.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Whether the usual verification refuses a certificate only because it is one of an authority. It looks at this after
/// the time, and has no variant for it.
fn is_authority(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.to_string() == "CaUsedAsEndEntity"
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ureq::tls::parse_pem;

    use super::*;

    /// Signed by themselves, authorities, for `registry.test`: `openssl req -x509 -newkey ec -pkeyopt
    /// ec_paramgen_curve:P-256 -nodes -days 36500 -addext subjectAltName=DNS:registry.test -subj /CN=registry.test`.
    const ONE: &str = "-----BEGIN CERTIFICATE-----
MIIBojCCAUegAwIBAgIUT4AMnczKsSLK1jT/LvOejsTMj88wCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNcmVnaXN0cnkudGVzdDAgFw0yNjExMjEyMTQxNDNaGA8yMTI2
MTAyODIxNDE0M1owGDEWMBQGA1UEAwwNcmVnaXN0cnkudGVzdDBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABP6gbdfmUahqyy/NF8EB0NXvWdSiXldYGYw7bp8Ya2ZR
uq98+/w4f4bvjMkjF0FFhw2ZCOXpVo7aA1k/GZw2pnujbTBrMB0GA1UdDgQWBBQ5
TPNPpTz6QbYrgJFzZvG4LUlBpzAfBgNVHSMEGDAWgBQ5TPNPpTz6QbYrgJFzZvG4
LUlBpzAPBgNVHRMBAf8EBTADAQH/MBgGA1UdEQQRMA+CDXJlZ2lzdHJ5LnRlc3Qw
CgYIKoZIzj0EAwIDSQAwRgIhALODV7N/6IaZDFM6gpOBCxbAFwrjAPUdDqdKIQsK
SNw4AiEA+AlD9GOnSgPei+K2eJmI854/I1FLdZXE1+PoeCsAzv4=
-----END CERTIFICATE-----";
    const OTHER: &str = "-----BEGIN CERTIFICATE-----
MIIBoTCCAUegAwIBAgIUJuKGoMuMnhFhVufNSip5rTAM/AkwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNcmVnaXN0cnkudGVzdDAgFw0yNjExMjEyMTQxNDNaGA8yMTI2
MTAyODIxNDE0M1owGDEWMBQGA1UEAwwNcmVnaXN0cnkudGVzdDBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABDOlZTM1idX4+0yodzaKFxfl3LjM0IjVWyuyKevIdUb+
Ylw937CJJHNjym73PfQVu3Gl+/PKhZXKlMiBoa9sjTWjbTBrMB0GA1UdDgQWBBS+
mXrTxqBfnjCgyzYH7EO9EOcFMjAfBgNVHSMEGDAWgBS+mXrTxqBfnjCgyzYH7EO9
EOcFMjAPBgNVHRMBAf8EBTADAQH/MBgGA1UdEQQRMA+CDXJlZ2lzdHJ5LnRlc3Qw
CgYIKoZIzj0EAwIDSAAwRQIhAOhgOmxxLUpe/CYYqKPU/psCyj43+5mXMP2/IwbU
QPhiAiBRyCNRuZKMcEtDJZabJzldpDh454C5MryCNZoIHWe3QA==
-----END CERTIFICATE-----";

    fn certificate(pem: &str) -> Certificate<'static> {
        let items = parse_pem(pem.as_bytes()).map(Result::unwrap);
        let mut certificates = items.filter_map(|item| match item {
            ureq::tls::PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        });
        certificates.next().unwrap()
    }

    #[test]
    fn a_certificate_that_was_named_is_its_server() {
        let shown = CertificateDer::from(certificate(ONE).der().to_vec());
        let year = |year: u64| UnixTime::since_unix_epoch(Duration::from_hours((year - 1970) * 24 * 365));
        for (named, host, time, accepted) in [
            (&[ONE][..], "registry.test", year(2040), true),
            (&[OTHER, ONE], "registry.test", year(2040), true),
            (&[OTHER], "registry.test", year(2040), false),
            (&[ONE], "other.test", year(2040), false),
            (&[ONE], "registry.test", year(2020), false),
            (&[ONE], "registry.test", year(2200), false),
        ] {
            let named: Vec<_> = named.iter().map(|pem| certificate(pem)).collect();
            let verifier = Verifier::new(&named).unwrap();
            let host = ServerName::try_from(host).unwrap();
            let result = verifier.verify_server_cert(&shown, &[], &host, &[], time);
            assert_eq!(result.is_ok(), accepted, "{host:?} {time:?}: {result:?}");
        }
    }
}
