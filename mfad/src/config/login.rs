//! `[login]`: who must prove a second factor, with what, and how often they may be wrong.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::civil;
use jiff::tz::TimeZone;

use crate::address::EmailAddress;

use super::duration::{self, days, minutes, seconds};
use super::factor::{self, FactorKind};
use super::fields::Fields;
use super::problem::{Problem, Problems};
use super::terms::{ON_FAILURE, OnFailure};
use super::tree::{Node, Value};
use super::values::{self, Words, distinct_list, number, text};

/// `[login]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The default rule.
    pub require: Require,
    /// What happens under [`Require::Always`] to a person without a factor.
    pub unenrolled: Unenrolled,
    /// Whether an enrolment at a login needs a ticket.
    pub enrol_ticket: EnrolTicket,
    /// Who hears of enrolments at a login, of locks and of openings. Default: nobody.
    pub security_contact: Vec<EmailAddress>,
    /// The factors that are allowed, in order of preference; never empty, none twice.
    pub factors: Vec<FactorKind>,
    /// What is asked: printable ASCII, at most 100 characters and the space, ends in `": "`.
    /// Default `"Verification code: "`.
    pub prompt: String,
    /// Wrong answers that a challenge survives, and one: 1 to 10, default 3.
    pub tries: u32,
    /// When a person is refused for a while.
    pub throttle: Throttle,
    /// Consecutive failures of one factor, then it is locked: 1 to 100 (NIST SP 800-63B-4, 3.2.2), default 50.
    pub lock_after: u32,
    /// How long a live challenge is used again by the same user, service and source: 0 s to 10 min, default 5 min.
    pub resume_window: Duration,
    /// What happens to a person whose factor is mail, and who has no address.
    pub no_address: NoAddress,
    /// What happens if a hook fails to send a code, and no fallback is open. One that cannot judge opens nothing.
    pub on_hook_failure: OnFailure,
    /// Whether root may be let in by a failure, by a trusted device, or by a login of a moment ago.
    pub even_root: EvenRoot,
    /// How long after a login the same person gets in again from the same place without a factor. Default: not at all.
    pub grace: Option<Grace>,
}

/// Whether what spares people a factor spares it root, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvenRoot {
    /// It does not. The default.
    No,
    /// It does.
    Yes,
}

/// Logins that follow one after the other, as tools make them that open many connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// For how long: 1 s to 10 min.
    pub within: Duration,
    /// How many at most: 1 to 1000, default 50.
    pub logins: u32,
}

/// Whether a second factor is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Require {
    /// Nobody is asked.
    Never,
    /// Those who are switched on or have an active factor. The default.
    Enrolled,
    /// Everybody.
    Always,
    /// Nobody; what would have happened to them under `always` is recorded.
    DryRun,
}

/// What happens to a person who must prove a factor and has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unenrolled {
    /// They are denied. The default.
    Deny,
    /// They get a factor while they log in.
    Enrol,
    /// They are let in before this instant: milliseconds since 1970 (UTC). The configuration names a date; this is its
    /// end in the time zone of the host, which is the first instant that denies.
    AllowUntil(u64),
}

/// Whether an enrolment at a login needs a ticket from an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolTicket {
    /// It does. The default.
    Required,
    /// Who passed the first factor may enrol.
    None,
}

/// A person is refused after this many failures, until they are older than the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// 1 to 100, default 5.
    pub failures: u32,
    /// 1 s to 1 day, default 90 s.
    pub within: Duration,
}

/// What happens to a person whose factor is mail, and who has no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAddress {
    /// They are denied. The default.
    Deny,
    /// They need no second factor.
    Skip,
    /// Another of their factors is asked for.
    OtherFactor,
}

const REQUIRE: Words<Require> = Words {
    now: &[
        ("never", Require::Never),
        ("enrolled", Require::Enrolled),
        ("always", Require::Always),
        ("dry-run", Require::DryRun),
    ],
    later: &[],
};
const UNENROLLED: Words<Unenrolled> =
    Words { now: &[("deny", Unenrolled::Deny), ("enrol", Unenrolled::Enrol)], later: &[] };
const ENROL_TICKET: Words<EnrolTicket> =
    Words { now: &[("required", EnrolTicket::Required), ("none", EnrolTicket::None)], later: &[] };
const LANGUAGE: Words<()> = Words { now: &[("en", ())], later: &[] };
const NO_ADDRESS: Words<NoAddress> = Words {
    now: &[("deny", NoAddress::Deny), ("skip", NoAddress::Skip), ("other-factor", NoAddress::OtherFactor)],
    later: &[],
};

const TRIES: RangeInclusive<u32> = 1..=10;
const FAILURES: RangeInclusive<u32> = 1..=100;
const LOCK_AFTER: RangeInclusive<u32> = 1..=100;
const LOCK_REASON: &str = "NIST SP 800-63B-4 allows at most 100 consecutive failures";
const GRACE_LOGINS: u32 = 50;
const LONGEST_PROMPT: usize = 100;

pub(super) fn check(mut fields: Fields, hooks: &[String]) -> Result<Login, Problems> {
    // It has one value in this version: it is read to be refused, not to be used.
    fields.optional("language", |node| LANGUAGE.read(node));
    let login = Login {
        require: fields.read("require", Require::Enrolled, |node| REQUIRE.read(node)),
        unenrolled: fields.read("unenrolled", Unenrolled::Deny, unenrolled),
        enrol_ticket: fields.read("enrol-ticket", EnrolTicket::Required, |node| ENROL_TICKET.read(node)),
        security_contact: fields.read("security-contact", Vec::new(), contacts),
        factors: fields.read("factors", factor::default_order(hooks), |node| {
            distinct_list(node, |item| factor::read(item, hooks))
        }),
        prompt: fields.read("prompt", "Verification code: ".to_owned(), prompt),
        tries: fields.read("tries", 3, |node| number(node, &TRIES, "")),
        throttle: fields.read("throttle", Throttle { failures: 5, within: seconds(90) }, throttle),
        lock_after: fields.read("lock-after", 50, |node| number(node, &LOCK_AFTER, LOCK_REASON)),
        resume_window: fields
            .read("resume-window", minutes(5), |node| duration::read(node, &(seconds(0)..=minutes(10)))),
        no_address: fields.read("no-address", NoAddress::Deny, |node| NO_ADDRESS.read(node)),
        on_hook_failure: fields.read("on-hook-failure", OnFailure::OtherFactor, |node| ON_FAILURE.read(node)),
        even_root: fields.read("even-root", EvenRoot::No, even_root),
        grace: fields.optional("grace", grace),
    };
    fields.done(login)
}

fn unenrolled(node: &Node) -> Result<Unenrolled, Problems> {
    match node.value {
        Value::Text(_) => Ok(UNENROLLED.read(node)?),
        Value::Table(_) => allow_until(node),
        _ => {
            let remedy = "write \"deny\", \"enrol\" or { allow-until = 2027-01-31 }";
            Err(node.problem("a word or a date belongs here", remedy).into())
        }
    }
}

fn allow_until(node: &Node) -> Result<Unenrolled, Problems> {
    let mut fields = Fields::of(node, &["allow-until"])?;
    if fields.place("allow-until").is_none() {
        fields.refuse(node.problem("the date is missing", "write { allow-until = 2027-01-31 }"));
    }
    let instant = fields.read("allow-until", 0, end_of_day);
    fields.done(Unenrolled::AllowUntil(instant))
}

fn end_of_day(node: &Node) -> Result<u64, Problem> {
    let Value::Date(date) = node.value else {
        return Err(
            node.problem("a date belongs here", "write 2027-01-31, without quotes and without a time")
        );
    };
    i16::try_from(date.year)
        .ok()
        .and_then(|year| civil::Date::new(year, date.month.cast_signed(), date.day.cast_signed()).ok())
        .and_then(|date| end_of_date(date, TimeZone::system()))
        .ok_or_else(|| node.problem("there is no such day", "write a day from 1970 on"))
}

/// Milliseconds since 1970 of the first instant after the date.
fn end_of_date(date: civil::Date, zone: TimeZone) -> Option<u64> {
    let next = date.tomorrow().ok()?.to_zoned(zone).ok()?;
    u64::try_from(next.timestamp().as_millisecond()).ok()
}

fn contacts(node: &Node) -> Result<Vec<EmailAddress>, Problems> {
    values::list(node, |item| {
        EmailAddress::parse(text(item)?).map_err(|error| {
            item.problem(error.to_string(), "write an address, as in \"security@example.org\"")
        })
    })
}

fn prompt(node: &Node) -> Result<String, Problem> {
    let text = text(node)?;
    if text.len() > LONGEST_PROMPT {
        let message = format!("the prompt is longer than {LONGEST_PROMPT} characters");
        return Err(node.problem(message, "say it shorter: some programs cut prompts off"));
    }
    if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        let remedy =
            "write ASCII: sshd escapes other letters, and login shows them in the wrong character set";
        return Err(node.problem("the prompt has a letter that is not ASCII", remedy));
    }
    match text.trim_end() {
        trimmed if trimmed.ends_with(':') && trimmed.len() > 1 => Ok(format!("{trimmed} ")),
        _ => Err(node.problem("the prompt does not end in \": \"", "write it as in \"Verification code: \"")),
    }
}

fn even_root(node: &Node) -> Result<EvenRoot, Problem> {
    values::boolean(node).map(|even| if even { EvenRoot::Yes } else { EvenRoot::No })
}

/// `"60s"`, or `{ within = "60s", logins = 50 }`.
fn grace(node: &Node) -> Result<Grace, Problems> {
    let within = |node: &Node| duration::read(node, &(seconds(1)..=minutes(10)));
    if let Value::Text(_) = node.value {
        return Ok(Grace { within: within(node)?, logins: GRACE_LOGINS });
    }
    let mut fields = Fields::of(node, &["within", "logins"])?;
    if fields.place("within").is_none() {
        fields.refuse(node.problem("the time is missing", "write { within = \"60s\", logins = 50 }"));
    }
    let grace = Grace {
        within: fields.read("within", seconds(0), within),
        logins: fields.read("logins", GRACE_LOGINS, |node| number(node, &(1..=1000), "")),
    };
    fields.done(grace)
}

fn throttle(node: &Node) -> Result<Throttle, Problems> {
    let mut fields = Fields::of(node, &["failures", "within"])?;
    let throttle = Throttle {
        failures: fields.read("failures", 5, |node| number(node, &FAILURES, "")),
        within: fields.read("within", seconds(90), |node| duration::read(node, &(seconds(1)..=days(1)))),
    };
    fields.done(throttle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_ends_when_the_next_day_begins_where_the_host_is() {
        let date = civil::date(2027, 1, 31);
        let midnight = 1_801_440_000_000;
        assert_eq!(end_of_date(date, TimeZone::UTC), Some(midnight));
        let east = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(end_of_date(date, east), Some(midnight - 2 * 3_600_000));
        assert_eq!(end_of_date(civil::date(1969, 12, 30), TimeZone::UTC), None);
        assert_eq!(end_of_date(civil::Date::MAX, TimeZone::UTC), None);
    }
}
