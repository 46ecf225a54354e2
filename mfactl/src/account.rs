//! One account, told: what can be proved with, what is out, what is locked.

use protocol::manage::{BypassLine, ChallengeLine, FactorLine, Lock, Switch, UserDetail};

use crate::output::{self, row};
use crate::policy;
use crate::time;

/// The account as rows of name and value.
pub fn block(account: &UserDetail) -> String {
    let mut rows = vec![
        row("user", account.user.clone()),
        row("uid", account.uid.map_or("not known yet".to_owned(), |uid| uid.to_string())),
        row("second factor", second_factor(account.switch).to_owned()),
        row(
            "factors",
            if account.factors.is_empty() { "none".to_owned() } else { account.factors.join(", ") },
        ),
    ];
    rows.extend(account.enrolled.iter().map(|factor| row("enrolled", enrolled(factor))));
    rows.extend([
        row("asked first", account.preferred.clone().unwrap_or("by the order of this host".to_owned())),
        row("recovery", left(account.recovery_left, "code")),
        row("address kept", account.email.clone().unwrap_or("none".to_owned())),
        row("mail goes to", destination(account)),
        row("state", state(account)),
        row("wrong codes", format!("{} in a row", account.consecutive_failures)),
        row("mails", format!("{} within the last day", account.mails_today)),
        row("last login", account.last_login.map_or("never".to_owned(), time::local)),
    ]);
    rows.extend(
        account.devices.iter().map(|line| row("device", format!("{}: {}", line.id, policy::device(line)))),
    );
    rows.extend(account.bypasses.iter().map(|code| row("bypass code", bypass(code))));
    rows.extend(
        account.ticket_until.map(|until| row("ticket", format!("to enrol, until {}", time::local(until)))),
    );
    rows.extend(account.challenges.iter().map(|challenge| row("code is out", code_is_out(challenge))));
    output::table(rows)
}

fn second_factor(switch: Switch) -> &'static str {
    match switch {
        Switch::Enabled => "on",
        Switch::Disabled => "off",
    }
}

fn enrolled(factor: &FactorLine) -> String {
    let FactorLine { id, factor, enrolment, since, contact } = factor;
    let contact = contact.as_ref().map_or(String::new(), |contact| format!(" to {contact}"));
    format!("{id}: {factor}{contact}, {} since {}", enrolment.name(), time::local(*since))
}

fn bypass(code: &BypassLine) -> String {
    let BypassLine { id, reason, issued_by, uses_left, expires } = code;
    let uses = left(*uses_left, "use");
    format!("#{id}: {reason} (by uid {issued_by}), {uses}, ends {}", time::local(*expires))
}

fn left(count: u32, thing: &str) -> String {
    if count == 1 { format!("1 {thing} left") } else { format!("{count} {thing}s left") }
}

fn destination(account: &UserDetail) -> String {
    match (&account.sends_to, &account.sends_to_source) {
        (None, _) => "nowhere: no address is known".to_owned(),
        (Some(address), None) => address.clone(),
        (Some(address), Some(source)) => format!("{address} (from {source})"),
    }
}

fn state(account: &UserDetail) -> String {
    match (account.lock, account.throttled_until) {
        (Lock::Throttled, Some(until)) => format!("throttled until {}", time::local(until)),
        (lock, _) => lock.name().to_owned(),
    }
}

fn code_is_out(challenge: &ChallengeLine) -> String {
    let ChallengeLine { service, source, opened, expires, tries_left } = challenge;
    let tries = if *tries_left == 1 { "1 try".to_owned() } else { format!("{tries_left} tries") };
    format!(
        "{service} from {source}: sent {}, ends {}, {tries} left",
        time::local(*opened),
        time::local(*expires)
    )
}
