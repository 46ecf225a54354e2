//! Every sentence that a person logging in can read. Short, ASCII, one line; a question ends in "code: ", because some
//! programs show only the prompt, some replace it, and some drop what is not ASCII.

use std::time::Duration;

use protocol::Secret;

use crate::config::FactorKind;
use crate::factor::mailed::Channel;
use crate::factor::otpauth;
use crate::moment::span;
use crate::rules::enrol::Key;
use crate::rules::grant::Refusal;
use crate::rules::login::Asked;
use crate::rules::policy::Way;

/// Before a code is sent.
pub fn announcement(channel: &Channel) -> String {
    format!("Sending a code to {}", channel.masked())
}

/// The first question.
pub fn question(asked: &Asked, prompt: &str) -> String {
    let what = match &asked.way {
        Way::Sent(channel) => format!("A code was sent to {}.", channel.masked()),
        Way::Totp | Way::Hotp => "Open your authenticator app.".to_owned(),
        Way::Checked { hook, .. } => format!("Type your code for {hook}."),
        Way::Recovery => "Type one of your recovery codes.".to_owned(),
        Way::Bypass => "Type the code of your administrator.".to_owned(),
    };
    let others = if asked.ways.len() > 1 { " Enter for other ways." } else { "" };
    format!("{what}{others} {prompt}")
}

/// After a wrong code.
pub fn wrong(tries_left: u32) -> String {
    let noun = if tries_left == 1 { "try" } else { "tries" };
    format!("Wrong code, {tries_left} {noun} left.")
}

/// After a code that was used before.
pub fn reused() -> String {
    "That code was used already, wait for the next one.".to_owned()
}

/// After a text that cannot be a code.
pub fn not_a_code(digits: &[u8]) -> String {
    match digits {
        [] => "That is not a code.".to_owned(),
        [only] => format!("That is not a code of {only} digits."),
        [some @ .., last] => {
            let some: Vec<String> = some.iter().map(ToString::to_string).collect();
            format!("That is not a code of {} or {last} digits.", some.join(", "))
        }
    }
}

/// What an empty answer opens: the ways by number, and that the code can be typed just so.
pub fn menu<'a>(asked: &Asked, ways: impl Iterator<Item = &'a Way>) -> String {
    let entries: Vec<String> =
        ways.zip(1..).map(|(way, number)| format!("{number} {}", entry(asked, way))).collect();
    if entries.is_empty() {
        "Type your code: ".to_owned()
    } else {
        format!("Type {}, or your code: ", entries.join(", "))
    }
}

fn entry(asked: &Asked, way: &Way) -> String {
    match way {
        Way::Sent(Channel::Email(_)) if asked.way == *way => "to get the mail again".to_owned(),
        Way::Sent(_) if asked.way == *way => "to get the code again".to_owned(),
        Way::Sent(Channel::Email(address)) => format!("for a code by mail to {}", address.masked()),
        Way::Sent(Channel::Hook { name, .. }) => format!("for a code by {name}"),
        Way::Totp | Way::Hotp => "for your app".to_owned(),
        Way::Checked { hook, .. } => format!("for {hook}"),
        Way::Recovery => "for a recovery code".to_owned(),
        Way::Bypass => "for a code of your administrator".to_owned(),
    }
}

/// After the code was sent again.
pub fn sent_again(channel: &Channel) -> String {
    format!("The same code was sent again to {}.", channel.masked())
}

/// When a code could not be sent, and there is another way.
pub fn not_sent_other(channel: &Channel) -> String {
    format!("The code could not be sent to {}.", channel.masked())
}

/// When a hook cannot judge, and there is another way.
pub fn not_judged(hook: &str) -> String {
    format!("{hook} cannot be asked now.")
}

/// After another factor than the usual one opened the door.
pub fn prefer(factor: &str) -> String {
    let name = match factor {
        "totp" | "hotp" => "your app",
        "email" => "the mail",
        other => other,
    };
    format!("Begin with {name} from now on? Type y, or Enter for no: ")
}

/// After a factor opened the door, where the site remembers devices.
pub fn remember(days: u32) -> String {
    let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    format!("Trust this device for {days}? Type y, or Enter for no: ")
}

/// When the mail server took the mail and said nothing of it.
pub fn in_doubt() -> String {
    "The mail server did not confirm the mail. If none comes, log in again.".to_owned()
}

/// When it is too early to send it again.
pub fn too_soon(wait: Duration) -> String {
    format!("The mail was sent just now. It can be sent again in {}.", span(wait))
}

/// When too many mails went out.
pub fn capped(wait: Duration) -> String {
    format!("Too many codes were mailed. Try again in {}.", span(wait))
}

/// When the mail could not be sent a second time.
pub fn not_sent_again(reference: &str) -> String {
    format!("The mail could not be sent again. Reference: {reference}.")
}

/// Before an enrolment that needs a ticket.
pub fn ticket() -> String {
    "You have no second factor yet. Enrolment ticket of your administrator, ticket code: ".to_owned()
}

/// The factors that can be enrolled.
pub fn which_factor(offered: &[FactorKind]) -> String {
    let entries: Vec<String> = offered
        .iter()
        .zip(1..)
        .map(|(kind, number)| match kind {
            FactorKind::Email => format!("{number} for codes by mail"),
            _ => format!("{number} for an authenticator app"),
        })
        .collect();
    format!("Choose your second factor: type {}: ", entries.join(", "))
}

/// Before a code to a new address.
pub fn which_address() -> String {
    "Your mail address: ".to_owned()
}

/// After an address that is none, or one of a domain that the site does not allow.
pub fn no_such_address() -> String {
    "That address cannot be used here.".to_owned()
}

/// A key for an app: the drawing, the key in groups, and the URI. The only text of many lines, and not ASCII.
pub fn key(drawn: Option<&Secret>, key: &Key) -> String {
    let drawn = drawn.map_or("", Secret::expose);
    format!(
        "Scan this with an authenticator app, or type the key into it. If it cannot be scanned, type i to invert it.\n\
         {drawn}\nKey: {}\n{}",
        otpauth::grouped(key.secret.expose()),
        key.uri.expose()
    )
}

/// Before the first code of an app.
pub fn first_app_code() -> String {
    "Type the code that the app shows. Verification code: ".to_owned()
}

/// Before the first code to an address.
pub fn first_code(channel: &Channel) -> String {
    format!("A code was sent to {}. Verification code: ", channel.masked())
}

/// Recovery codes, shown once.
pub fn recovery_codes(codes: &[Secret]) -> String {
    let lines: Vec<&str> = codes.iter().map(Secret::expose).collect();
    format!("Recovery codes, each good once if you lose your app. Save them now:\n{}", lines.join("\n"))
}

/// After them.
pub fn saved() -> String {
    "Press Enter when the recovery codes are saved: ".to_owned()
}

/// How a refused login ends; none where there is nothing to say. Never more precise than a stranger may know.
pub fn farewell(refusal: Refusal, reference: &str) -> Option<String> {
    let text = match refusal {
        Refusal::TriesUsedUp(wait) | Refusal::Throttled(wait) => {
            format!("Too many wrong codes. Try again in {}.", span(wait))
        }
        Refusal::Unknown | Refusal::NoCode => "Too many wrong codes.".to_owned(),
        Refusal::Locked => {
            format!("Locked after too many wrong codes. Ask your administrator. Reference: {reference}.")
        }
        Refusal::MailCap(wait) => capped(wait),
        Refusal::Expired => "The code has expired. Log in again to get a new one.".to_owned(),
        Refusal::Gone => "The code was used or replaced. Log in again to get a new one.".to_owned(),
        Refusal::NotSent => {
            format!(
                "The code could not be mailed. Try again later, or ask your administrator. Reference: {reference}."
            )
        }
        Refusal::NoAddress => {
            format!("No mail address is known for you. Ask your administrator. Reference: {reference}.")
        }
        Refusal::NotEnrolled | Refusal::UidChanged => {
            format!("You have no second factor here. Ask your administrator. Reference: {reference}.")
        }
        Refusal::Unavailable | Refusal::Damaged => {
            format!("The second factor cannot be checked now. Try again later. Reference: {reference}.")
        }
        Refusal::Blind | Refusal::Cancelled => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::EmailAddress;

    #[test]
    fn what_is_said_is_one_ascii_line() {
        let wait = Duration::from_secs(89);
        let mail = Channel::Email(EmailAddress::parse("ada@example.org").unwrap());
        let sms = Channel::Hook { name: "sms".into(), contact: "+49 170 1234567".into() };
        let ways = vec![Way::Totp, Way::Sent(mail.clone()), Way::Sent(sms.clone()), Way::Recovery];
        let asked = Asked { way: Way::Totp, code: None, tries_left: 3, digits: vec![6], ways };
        let mut said = vec![announcement(&mail), wrong(2), reused(), not_a_code(&[6, 8]), too_soon(wait)];
        said.extend([question(&asked, "Verification code: "), menu(&asked, asked.ways.iter().take(3))]);
        said.extend([in_doubt(), capped(wait), sent_again(&sms), not_sent_other(&sms), not_judged("radius")]);
        said.extend([not_sent_again("k3f9a"), prefer("totp"), remember(7)]);
        for refusal in [
            Refusal::TriesUsedUp(wait),
            Refusal::Locked,
            Refusal::Expired,
            Refusal::Gone,
            Refusal::NoCode,
            Refusal::NotSent,
            Refusal::NoAddress,
            Refusal::NotEnrolled,
            Refusal::UidChanged,
            Refusal::Unavailable,
            Refusal::Unknown,
        ] {
            said.extend(farewell(refusal, "k3f9a"));
        }
        for text in said {
            assert!(text.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{text:?}");
            assert!(text.len() < 130, "{text:?}");
        }
    }

    #[test]
    fn waits_are_rounded_up() {
        for (millis, text) in [
            (0, "1 second"),
            (1_001, "2 seconds"),
            (90_000, "90 seconds"),
            (120_001, "3 minutes"),
            (7_200_000, "2 hours"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), text);
        }
    }
}
