//! What holds until the next reload: made from a configuration, replaced by another, and said aloud.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use sd_notify::NotifyState;

use super::key::look_for_old_keys;
use super::{Daemon, Failure, Live};
use crate::audit::Priority;
use crate::config::{self, Config, TemplateSource, Transport};
use crate::deliver::maildir::MaildirCourier;
use crate::deliver::sendmail::SendmailCourier;
use crate::deliver::smtp::SmtpCourier;
use crate::deliver::{Body, Courier, Sender, Template};
use crate::unknown_names;

/// How long a courier may take, all relays together. A person waits.
const DELIVERY: Duration = Duration::from_secs(10);

/// Takes the configuration that is on disk now, or keeps the one in force and says why, in the log and to the caller.
///
/// # Errors
/// Why the one on disk is refused.
pub(crate) fn reload(daemon: &Arc<Daemon>) -> Result<(), String> {
    let _ = sd_notify::notify(&[NotifyState::Reloading]);
    let fresh = config::load(&daemon.origin.file, daemon.origin.presence)
        .map_err(Failure::from)
        .and_then(|config| keep_paths(daemon, config))
        .and_then(|config| keep_files(daemon, config))
        .and_then(|config| assemble(config, &daemon.host))
        .and_then(|live| daemon.read_keys().map(|()| live).map_err(Failure::from));
    let outcome = fresh.map(|live| take(daemon, live)).map_err(|failure| failure.to_string());
    if let Err(why) = &outcome {
        let text = format!("the new configuration is refused, the old one stays: {why}");
        daemon.log.note(Priority::Alert, &text);
    }
    *daemon.rejected.lock().unwrap_or_else(PoisonError::into_inner) = outcome.clone().err();
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    outcome
}

fn take(daemon: &Arc<Daemon>, live: Live) {
    daemon.live.store(Arc::new(live));
    daemon.clock.reconsider();
    daemon.log.note(Priority::Notice, "the configuration was read again and is in force");
    warn_of_settings(daemon);
    tokio::spawn(look_for_old_keys(daemon.clone()));
}

fn keep_paths(daemon: &Daemon, config: Config) -> Result<Config, Failure> {
    let live = daemon.live();
    let section =
        match (config.paths == live.config.paths, config.metrics_listen == live.config.metrics_listen) {
            (true, true) => return Ok(config),
            (false, _) => "[paths]",
            (true, false) => "[metrics] listen",
        };
    Err(Failure::Setting(format!("{section} changes only with a restart: systemctl restart mfad")))
}

/// A file that is gone takes its rules with it, and what is left may ask less: that is for a restart to say.
fn keep_files(daemon: &Daemon, config: Config) -> Result<Config, Failure> {
    let before = &daemon.live().config.files;
    match before.iter().find(|file| !config.files.contains(file)) {
        None => Ok(config),
        Some(gone) => Err(Failure::Setting(format!(
            "{} is gone. If that is meant: systemctl restart mfad",
            gone.display()
        ))),
    }
}

/// Makes everything that the configuration names.
pub(super) fn assemble(config: Config, host: &str) -> Result<Live, Failure> {
    let email = &config.email;
    let body = match &email.template {
        TemplateSource::BuiltIn => Body::default(),
        TemplateSource::File(file) => read_template(file)?,
    };
    let subject = Template::line(&email.subject)
        .map_err(|error| Failure::Setting(format!("email.subject: {error}")))?;
    let sender =
        Sender::parse(&email.from, host).map_err(|error| Failure::Setting(format!("email.from: {error}")))?;
    let courier = courier(&email.transport, host);
    Ok(Live { body, subject, sender, courier, config: Arc::new(config) })
}

fn read_template(file: &Path) -> Result<Body, Failure> {
    let refuse = |why: String| Failure::Setting(format!("email.template: {}: {why}", file.display()));
    let text = crate::people::read_trusted(file).map_err(|error| refuse(error.to_string()))?;
    Body::from_html(&text).map_err(|error| refuse(error.to_string()))
}

fn courier(transport: &Transport, host: &str) -> Arc<dyn Courier> {
    match transport {
        Transport::Smtp(relays) => Arc::new(SmtpCourier::new(relays.clone(), host.to_owned(), DELIVERY)),
        Transport::Sendmail(sendmail) => Arc::new(SendmailCourier::new(sendmail.clone(), DELIVERY)),
        Transport::Maildir(pattern) => Arc::new(MaildirCourier::new(pattern.clone(), host)),
    }
}

/// Says what is open on purpose, and what is odd.
pub(super) fn warn_of_settings(daemon: &Arc<Daemon>) {
    let live = daemon.live();
    for opening in live.config.openings() {
        daemon.log.note(Priority::Alert, &opening);
    }
    for warning in &live.config.warnings {
        daemon.log.note(Priority::Warning, &warning.in_one_line());
    }
    let daemon = daemon.clone();
    tokio::task::spawn_blocking(move || {
        for warning in unknown_names::warnings(&live.config) {
            daemon.log.note(Priority::Warning, &warning.in_one_line());
        }
    });
}
