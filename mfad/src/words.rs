//! Every sentence that a person logging in can read. Short, ASCII, one line; a question ends in "code: ", because some
//! programs show only the prompt, some replace it, and some drop what is not ASCII.

use std::time::Duration;

use crate::rules::grant::Refusal;
use crate::rules::login::Asked;

/// Before a code is sent.
pub fn announcement(masked: &str) -> String {
    format!("Sending a code to {masked}")
}

/// The first question.
pub fn question(asked: &Asked, prompt: &str) -> String {
    format!("A code was sent to {}. {prompt}", asked.address.masked())
}

/// After a wrong code.
pub fn wrong(tries_left: u32) -> String {
    let noun = if tries_left == 1 { "try" } else { "tries" };
    format!("Wrong code, {tries_left} {noun} left.")
}

/// After a text that cannot be a code.
pub fn not_a_code(digits: u8) -> String {
    format!("That is not a code of {digits} digits.")
}

/// What an empty answer opens.
pub fn menu() -> String {
    "Type 1 to get the mail again, or your code: ".to_owned()
}

/// After the mail was sent again.
pub fn sent_again(masked: &str) -> String {
    format!("The same code was sent again to {masked}.")
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

/// A wait in words: rounded up, so that nobody comes too early.
fn span(wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    match seconds {
        0..=1 => "1 second".to_owned(),
        2..=119 => format!("{seconds} seconds"),
        120..=7199 => format!("{} minutes", seconds.div_ceil(60)),
        _ => format!("{} hours", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_one_ascii_line() {
        let wait = Duration::from_secs(89);
        let mut said =
            vec![announcement("a***@example.org"), wrong(2), not_a_code(6), menu(), too_soon(wait)];
        said.extend([in_doubt(), capped(wait), sent_again("a***@example.org"), not_sent_again("k3f9a")]);
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
            assert!(text.len() < 110, "{text:?}");
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
