//! Asks a time server once (SNTP, RFC 5905 section 14). It blocks; [`super::watch`] runs it on a thread.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use rsntp::{SntpClient, SynchronizationError, SynchronizationResult};

use super::{Fix, since_boot, system_time};
use crate::config::NtpServer;

/// A server that is further off is more likely to be wrong than the clock of this host.
pub const FARTHEST: Duration = Duration::from_secs(24 * 3600);

/// Why the time of a server is not used.
#[derive(Debug, thiserror::Error)]
pub enum NtpError {
    /// Its name has no address.
    #[error("the name of the time server does not resolve: {0}. Check time.ntp, and DNS")]
    Name(io::Error),
    /// No answer, or none that makes sense.
    #[error("the time server gave no usable answer: {0}. Check time.ntp, and that UDP port 123 is open")]
    Answer(SynchronizationError),
    /// An answer that no clock explains.
    #[error(
        "the time server is {} hours away from the clock of this host, which is more than the 24 that are \
         believed. Set the clock of this host, or name another server", .0.as_secs() / 3600
    )]
    TooFar(Duration),
}

/// The time of the server: of the first of its addresses that answers, each with the whole timeout.
///
/// # Errors
/// [`NtpError`], of its last address.
pub fn ask(server: &NtpServer) -> Result<Fix, NtpError> {
    let addresses = (server.host.as_str(), server.port).to_socket_addrs().map_err(NtpError::Name)?;
    let mut failure = NtpError::Name(io::ErrorKind::NotFound.into());
    for address in addresses.take(ADDRESSES) {
        match ask_address(address, server.timeout) {
            Ok(answer) => return fix(server, &answer),
            Err(error) => failure = NtpError::Answer(error),
        }
    }
    Err(failure)
}

/// A name with many addresses is not asked at all of them.
const ADDRESSES: usize = 4;

fn ask_address(
    address: SocketAddr,
    timeout: Duration,
) -> Result<SynchronizationResult, SynchronizationError> {
    let own: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let config = rsntp::Config::default().bind_address(own).timeout(timeout);
    SntpClient::with_config(config).synchronize((address.ip(), address.port()))
}

fn fix(server: &NtpServer, answer: &SynchronizationResult) -> Result<Fix, NtpError> {
    let (system, boot) = (system_time(), since_boot());
    let offset = answer.clock_offset();
    let distance = offset.abs_as_std_duration().unwrap_or(Duration::MAX);
    if distance > FARTHEST {
        return Err(NtpError::TooFar(distance));
    }
    let is_behind = offset.signum() < 0;
    let wall = if is_behind { system.saturating_sub(distance) } else { system.saturating_add(distance) };
    let millis = i64::try_from(distance.as_millis()).unwrap_or(i64::MAX);
    Ok(Fix { server: server.to_string(), wall, boot, offset: if is_behind { -millis } else { millis } })
}
