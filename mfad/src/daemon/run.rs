//! From a configuration file to a serving daemon, and back to nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, io};

use arc_swap::ArcSwap;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, watch};

use super::key::{KeyState, look_for_old_keys};
use super::{Daemon, Origin, live};
use crate::audit::Priority;
use crate::audit::sink::{Entry, Log};
use crate::clock::Clock;
use crate::config::{Config, Problems};
use crate::deliveries::Deliveries;
use crate::listen::unix::{Door, serve};
use crate::listen::{Caps, Sockets, bind_or_take};
use crate::people::People;
use crate::store::memory::Memory;
use crate::store::sqlite::Sqlite;
use crate::store::{Store, StoreError};
use crate::vault::{KeyError, SharedVault, Vault};

/// How long calls that began may take to end when the daemon stops.
const DRAIN: Duration = Duration::from_secs(12);

/// How often the database is asked whether it still takes writes.
const PULSE: Duration = Duration::from_secs(5);

/// Why the daemon did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration.
    #[error("{0}")]
    Config(#[from] Problems),
    /// Something that the configuration names.
    #[error("{0}")]
    Setting(String),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database.
    #[error("the database cannot be used: {0}")]
    Store(#[from] StoreError),
    /// The sockets, threads or signals.
    #[error("{0}")]
    System(#[from] io::Error),
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// [`Failure`]: everything is checked before the sockets answer, so a daemon that answers is whole.
pub fn run(config: Config, origin: Origin) -> Result<(), Failure> {
    // One thread: a login is a few short steps, and waking another core costs more than they do.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve_until_stopped(config, origin))
}

async fn serve_until_stopped(config: Config, origin: Origin) -> Result<(), Failure> {
    let host = host_name();
    let paths = config.paths.clone();
    let live = live::assemble(config, &host)?;
    let keys: SharedVault =
        Arc::new(ArcSwap::from_pointee(Vault::open(&paths.key, credentials().as_deref())?));
    let run_id = u64::from(u32::from_be_bytes(crate::session::random()));
    let clock = Clock::of_system(run_id);
    let store = Arc::new(Sqlite::open(&paths.state, keys.clone(), clock.clone())?);
    let daemon = Arc::new(Daemon {
        store,
        strangers: Memory::default(),
        clock,
        people: People::default(),
        log: Log::start()?,
        deliveries: Deliveries::default(),
        host,
        origin,
        start_again: Notify::new(),
        started: Instant::now(),
        live: ArcSwap::from_pointee(live),
        key_state: Mutex::new(KeyState::at_start(&keys.load())),
        keys,
        rejected: Mutex::new(None),
        domain: Mutex::new(None),
        delivery: Mutex::new(Duration::ZERO),
    });
    let mut signals = Signals::new()?;
    let (stop, drain) = watch::channel(());
    let figures = figures(daemon.live().config.metrics_listen).await?;
    let Sockets { login, manage } = bind_or_take(&paths.runtime)?;
    let caps = Caps::default();
    let doors = [
        tokio::spawn(serve(Door::Login, login, daemon.clone(), caps.clone(), drain.clone())),
        tokio::spawn(serve(Door::Manage, manage, daemon.clone(), caps, drain)),
    ];
    let log = tokio::spawn(copy_events_to_log(daemon.clone()));
    let alarm = tokio::spawn(crate::alarm::watch(daemon.clone()));
    let time = tokio::spawn(crate::clock::watch::watch(daemon.clone()));
    let key = tokio::spawn(look_for_old_keys(daemon.clone()));
    let figures = tokio::spawn(serve_figures(figures, daemon.clone()));
    let retention = tokio::spawn(super::retention::keep(daemon.clone()));
    announce(&daemon);
    let ended = attend(&daemon, &mut signals).await;
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    drop_and_wait(stop).await;
    for door in doors {
        let _ = door.await;
    }
    // Behind everything that was queued: a record that nobody waits for is kept too, and reaches the log.
    let _ = daemon.store.ping().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    [log, alarm, time, key, figures, retention].iter().for_each(tokio::task::JoinHandle::abort);
    ended
}

/// Binds what `[metrics] listen` names.
async fn figures(address: Option<SocketAddr>) -> Result<Option<TcpListener>, Failure> {
    let Some(address) = address else { return Ok(None) };
    let refused =
        |error| Failure::Setting(format!("metrics.listen: {address}: {error}. Choose another port"));
    TcpListener::bind(address).await.map(Some).map_err(refused)
}

async fn serve_figures(listener: Option<TcpListener>, daemon: Arc<Daemon>) {
    if let Some(listener) = listener {
        crate::listen::figures::serve(listener, daemon).await;
    }
}

/// Signals and the pulse, until one of them ends the daemon.
async fn attend(daemon: &Arc<Daemon>, signals: &mut Signals) -> Result<(), Failure> {
    let mut pulse = tokio::time::interval(PULSE);
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return Ok(()),
            _ = signals.interrupt.recv() => return Ok(()),
            () = daemon.start_again.notified() => return Ok(()),
            // Whoever sent the signal reads the outcome in the log.
            _ = signals.hang_up.recv() => drop(live::reload(daemon)),
            _ = pulse.tick() => match daemon.store.ping().await {
                // Its writer is gone: only a new start can tell what is on disk.
                Err(StoreError::Closed) => {
                    daemon.log.note(Priority::Alert, "the database was given up; mfad starts again");
                    return Err(Failure::Store(StoreError::Closed));
                }
                // A full disk is not cured by dying: the watchdog is content while mfad answers.
                Ok(()) | Err(_) => {
                    let _ = sd_notify::notify(&[NotifyState::Watchdog]);
                }
            },
        }
    }
}

/// Tells all connections to end after the call they are in, and waits for them.
async fn drop_and_wait(stop: watch::Sender<()>) {
    let _ = stop.send(());
    let _ = tokio::time::timeout(DRAIN, stop.closed()).await;
}

fn announce(daemon: &Arc<Daemon>) {
    live::warn_of_settings(daemon);
    // What the log keeps elsewhere, the database cannot take back.
    daemon.log.note(Priority::Info, &format!("the audit goes on from {}", daemon.store.first_head()));
    daemon.log.note(Priority::Info, &format!("mfad {} is ready", env!("CARGO_PKG_VERSION")));
    let _ = sd_notify::notify(&[NotifyState::Ready]);
}

/// Carries committed events to the log; what is missed here is still in the database.
async fn copy_events_to_log(daemon: Arc<Daemon>) {
    let mut news = daemon.store_news();
    loop {
        match news.recv().await {
            Ok(event) => daemon.log.write(Entry::Event(event)),
            Err(RecvError::Lagged(missed)) => {
                daemon.log.note(
                    Priority::Warning,
                    &format!("{missed} events are only in the database: the log is slow"),
                );
            }
            Err(RecvError::Closed) => return,
        }
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

fn host_name() -> String {
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

pub(super) fn credentials() -> Option<PathBuf> {
    env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from)
}
