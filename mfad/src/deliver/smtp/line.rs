//! One connection to a relay: opened, encrypted, logged in; then one message after the other.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::Extension;
use lettre::transport::smtp::response::Response;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::password;
use super::relay::Relay;
use super::stage::{Marker, Stage, spoken};
use super::wire::{Allowance, Wire};
use crate::config::Security;
use crate::deliver::{Cause, DeliveryError, Message, Progress};

pub(super) struct Line {
    smtp: AsyncSmtpConnection,
    allowance: Allowance,
}

impl Line {
    /// Connects, encrypts as the settings demand, and logs in. Nothing that is worth hiding is sent before the line is
    /// as safe as it must be.
    pub(super) async fn open(
        relay: &Relay,
        share: Duration,
        marker: &Marker,
        progress: Progress<'_>,
    ) -> Result<Self, DeliveryError> {
        marker.enter(Stage::Resolve);
        let addresses = resolve(relay, marker).await?;
        // A black hole among the addresses of one name must leave time for the others.
        let patience = share / u32::try_from(addresses.len()).unwrap_or(1);
        let mut line = match relay.settings.security {
            Security::ImplicitTls => Line::connect_tls(relay, &addresses, patience, marker).await?,
            Security::StartTls | Security::Plain => {
                Line::connect_plain(relay, &addresses, patience, marker).await?
            }
        };
        progress(&format!("connected to {}", relay.name));
        if relay.settings.security == Security::StartTls {
            line.start_tls(relay, marker).await?;
        }
        match relay.settings.security {
            Security::Plain => progress("not encrypted, as configured"),
            _ => progress(&format!("TLS, certificate valid for {}", relay.settings.host)),
        }
        line.log_in(relay, marker, progress).await?;
        Ok(line)
    }

    async fn connect_tls(
        relay: &Relay,
        addresses: &[SocketAddr],
        patience: Duration,
        marker: &Marker,
    ) -> Result<Self, DeliveryError> {
        let tls = tls_parameters(relay, marker).await?;
        marker.enter(Stage::Connect);
        let connecting =
            AsyncSmtpConnection::connect_tokio1(addresses, Some(patience), &relay.hello, Some(tls), None);
        let smtp = connecting.await.map_err(|error| marker.explain(&error))?;
        Ok(Line { smtp, allowance: Allowance::default() })
    }

    async fn connect_plain(
        relay: &Relay,
        addresses: &[SocketAddr],
        patience: Duration,
        marker: &Marker,
    ) -> Result<Self, DeliveryError> {
        marker.enter(Stage::Connect);
        let tcp = connect(addresses, patience, marker).await?;
        marker.enter(Stage::Greeting);
        let allowance = Allowance::default();
        allowance.grant(Allowance::GREETING);
        let wire = Box::new(Wire::new(tcp, allowance.clone()));
        let greeted = AsyncSmtpConnection::connect_with_transport(wire, &relay.hello).await;
        Ok(Line { smtp: greeted.map_err(|error| marker.explain(&error))?, allowance })
    }

    async fn start_tls(&mut self, relay: &Relay, marker: &Marker) -> Result<(), DeliveryError> {
        marker.enter(Stage::Encrypt);
        if !self.smtp.can_starttls() {
            let fact = "does not offer STARTTLS, and encryption is required; nothing was sent; \
                        somebody may be stripping it, or the relay needs a certificate";
            return Err(marker.error(Cause::Insecure, fact));
        }
        let tls = tls_parameters(relay, marker).await?;
        self.allowance.grant(Allowance::DELIVERY);
        self.smtp.starttls(tls, &relay.hello).await.map_err(|error| marker.explain(&error))?;
        if !self.smtp.is_encrypted() {
            return Err(
                marker.error(Cause::Insecure, "STARTTLS left the connection in clear text; nothing was sent")
            );
        }
        Ok(())
    }

    async fn log_in(
        &mut self,
        relay: &Relay,
        marker: &Marker,
        progress: Progress<'_>,
    ) -> Result<(), DeliveryError> {
        marker.enter(Stage::Login);
        let Some(login) = &relay.settings.login else { return Ok(()) };
        let secret =
            password::read(&login.password_file).map_err(|fact| marker.error(Cause::Misconfigured, &fact))?;
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        if self.smtp.server_info().get_auth_mechanism(&mechanisms).is_none() {
            let fact =
                "offers neither AUTH PLAIN nor AUTH LOGIN; remove the user from its URL, or check the port";
            return Err(marker.error(Cause::Misconfigured, fact));
        }
        let credentials = Credentials::new(login.user.clone(), secret.expose().to_owned());
        self.smtp.auth(&mechanisms, &credentials).await.map_err(|error| marker.explain(&error))?;
        progress("AUTH accepted");
        Ok(())
    }

    /// Hands one message over and returns the relay's answer.
    pub(super) async fn send(&mut self, message: &Message, marker: &Marker) -> Result<String, DeliveryError> {
        self.allowance.grant(Allowance::DELIVERY);
        marker.enter(Stage::Sender);
        let parameters = self.parameters(message, marker)?;
        self.command(format!("MAIL FROM:<{}>{parameters}\r\n", message.from), &[250], marker).await?;
        marker.enter(Stage::Recipient);
        self.command(format!("RCPT TO:<{}>\r\n", message.to), &[250, 251, 252], marker).await?;
        marker.enter(Stage::Data);
        self.command("DATA\r\n", &[354], marker).await?;
        marker.enter(Stage::Content);
        let content = dot_stuffed(&message.bytes);
        // One write: a last small segment behind unacknowledged ones would wait for the relay's delayed ACK (40 ms).
        let answer = self.command(Raw(&content), &[250], marker).await?;
        Ok(spoken(&answer))
    }

    fn parameters(&self, message: &Message, marker: &Marker) -> Result<&'static str, DeliveryError> {
        let ascii_addresses = message.from.as_str().is_ascii() && message.to.as_str().is_ascii();
        if ascii_addresses && message.bytes.is_ascii() {
            return Ok("");
        }
        let offered = |extension| self.smtp.server_info().supports_feature(extension);
        if !offered(Extension::SmtpUtfEight) || !offered(Extension::EightBitMime) {
            let fact = "does not offer SMTPUTF8, which an address with letters beyond ASCII needs; \
                        give the user another address, or use another relay";
            return Err(marker.error(Cause::Misconfigured, fact));
        }
        Ok(" SMTPUTF8 BODY=8BITMIME")
    }

    async fn command(
        &mut self,
        command: impl fmt::Display + Send,
        expected: &[u16],
        marker: &Marker,
    ) -> Result<Response, DeliveryError> {
        let answer = self.smtp.command(command).await.map_err(|error| marker.explain(&error))?;
        if expected.contains(&u16::from(answer.code())) {
            Ok(answer)
        } else {
            Err(marker.unexpected(&answer))
        }
    }
}

async fn resolve(relay: &Relay, marker: &Marker) -> Result<Vec<SocketAddr>, DeliveryError> {
    let target = (relay.settings.host.as_str(), relay.settings.port);
    let found = tokio::net::lookup_host(target).await.map(Iterator::collect::<Vec<_>>);
    match found {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => Err(marker.error(Cause::Unreachable, "the name has no address; check the host and DNS")),
        Err(error) => {
            let fact = format!("the name does not resolve ({error}); check the host and DNS");
            Err(marker.error(Cause::Unreachable, &fact))
        }
    }
}

async fn connect(
    addresses: &[SocketAddr],
    patience: Duration,
    marker: &Marker,
) -> Result<TcpStream, DeliveryError> {
    let mut failures = Vec::new();
    for address in addresses {
        match timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Ok(Err(error)) => failures.push(format!("{address}: {error}")),
            Err(_) => failures.push(format!("{address}: no answer")),
        }
    }
    let fact = format!("cannot connect ({}); check the host, the port and the firewall", failures.join(", "));
    Err(marker.error(Cause::Unreachable, &fact))
}

async fn tls_parameters(relay: &Relay, marker: &Marker) -> Result<TlsParameters, DeliveryError> {
    let build = || async {
        let (host, ca_file) = (relay.settings.host.clone(), relay.settings.ca_file.clone());
        let built = tokio::task::spawn_blocking(move || build_tls(host, ca_file.as_deref())).await;
        built.map_err(|_| "the TLS settings could not be built".to_owned()).and_then(|built| built)
    };
    let ready = relay.tls.get_or_try_init(build).await;
    ready.cloned().map_err(|fact| marker.error(Cause::Misconfigured, &fact))
}

fn build_tls(host: String, ca_file: Option<&Path>) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host);
    if let Some(path) = ca_file {
        let fault = |what: String| format!("{what}; check ca-file {}", PathBuf::from(path).display());
        let pem = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|_| fault("not a PEM certificate".into()))?;
        if CertificateDer::pem_slice_iter(&pem).next().is_none() {
            return Err(fault("no certificate is in it".into()));
        }
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build().map_err(|error| format!("TLS cannot be set up ({error}); check ca-file"))
}

/// The content of DATA with its end: a dot before each line that begins with one (RFC 5321 4.5.2).
fn dot_stuffed(message: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut content = Zeroizing::new(Vec::with_capacity(message.len() + message.len() / 16 + 64));
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            content.push(b'.');
        }
        content.extend_from_slice(line);
    }
    if !content.ends_with(b"\r\n") {
        content.extend_from_slice(b"\r\n");
    }
    content.extend_from_slice(b".\r\n");
    content
}

/// Bytes for an interface that takes text. Mails that mfad makes are UTF-8.
struct Raw<'a>(&'a [u8]);

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(self.0).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::dot_stuffed;

    #[test]
    fn a_lone_dot_inside_a_message_does_not_end_it() {
        assert_eq!(*dot_stuffed(b"a\r\n.\r\n..b\r\nc"), b"a\r\n..\r\n...b\r\nc\r\n.\r\n");
        assert_eq!(*dot_stuffed(b".a\r\n"), b"..a\r\n.\r\n");
    }
}
