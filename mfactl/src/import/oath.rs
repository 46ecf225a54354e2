//! The users file of pam_oath and of mod_authn_otp: type, user, PIN, secret, then what the last login left there.
//! SHA-1 alone. What the columns mean was tried with pam_oath 2.6.7, which ignores lines of a type that it does not
//! know; here they are refused, so that nobody is missed.

use super::shared_secret::from_hexadecimal;
use super::{Algorithm, Digits, Imported, Kind, Place, Reason, Refusal, Step, number};

/// Reads a users file: an outcome for each line that is not empty and no comment.
pub fn parse(text: &str) -> Vec<Result<Imported, Refusal>> {
    let lines = text.lines().enumerate().map(|(index, line)| (index, line.trim()));
    let entries = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    entries.map(|(index, line)| entry(Place::at_line(index), line)).collect()
}

fn entry(place: Place, line: &str) -> Result<Imported, Refusal> {
    let mut columns = line.split_whitespace();
    let refuse = |user: Option<&str>, reason| Refusal { place, user: user.map(str::to_owned), reason };
    let (Some(token), Some(user), Some(pin), Some(secret)) =
        (columns.next(), columns.next(), columns.next(), columns.next())
    else {
        return Err(refuse(None, Reason::Columns));
    };
    // The user is named only if the type is one: a line that is out of step may have its secret in that place.
    let token = Token::parse(token).map_err(|reason| refuse(None, reason))?;
    let refuse = |reason| refuse(Some(user), reason);
    let secret = from_hexadecimal(secret).map_err(refuse)?;
    let kind = token.kind(columns.next(), columns.next()).map_err(refuse)?;
    Ok(Imported { user: Some(user.to_owned()), kind, secret, scratch: Vec::new(), notes: notes(pin) })
}

fn notes(pin: &str) -> Vec<String> {
    match pin {
        "-" | "+" => Vec::new(),
        _ => vec!["the PIN was not taken over: the code is typed alone".to_owned()],
    }
}

/// The first column.
enum Token {
    Event(Digits),
    Time(Step, Digits),
}

impl Token {
    /// `HOTP`, `HOTP/E`, `HOTP/T30`, each perhaps with `/6`, `/7` or `/8` after it.
    fn parse(text: &str) -> Result<Self, Reason> {
        let rest = text.strip_prefix("HOTP").ok_or(Reason::NoKind)?;
        let mut parts = rest.split('/');
        if parts.next() != Some("") {
            return Err(Reason::NoKind);
        }
        let mut parts = parts.peekable();
        let moves = parts.next_if(|part| part.starts_with(['E', 'T']));
        let digits = parts.next().map_or(Ok(Digits::SIX), |digits| Digits::new(number(digits, "type")?))?;
        if parts.next().is_some() {
            return Err(Reason::NoKind);
        }
        match moves {
            None | Some("E") => Ok(Token::Event(digits)),
            Some(time) => {
                let seconds = time.strip_prefix('T').ok_or(Reason::NoKind)?;
                Ok(Token::Time(Step::new(number(seconds, "type")?)?, digits))
            }
        }
    }

    /// `moving` is the fifth column, `last` the sixth. pam_oath counts a TOTP login's distance from the middle of the
    /// window into the fifth column; that means nothing.
    fn kind(self, moving: Option<&str>, last: Option<&str>) -> Result<Kind, Reason> {
        let algorithm = Algorithm::Sha1;
        match self {
            Token::Time(step, digits) => {
                Ok(Kind::Totp { algorithm, digits, step, drift: 0, last_step: None })
            }
            Token::Event(digits) => {
                let counter = moving.map_or(Ok(0), |moving| number(moving, "counter"))?;
                // Once somebody logged in, pam_oath keeps the counter of that code, with the code beside it. Before
                // that it is the next one, as always with mod_authn_otp, whose sixth column counts failures.
                let used = u64::from(last.is_some_and(|last| is_code(last, digits)));
                let counter = counter.checked_add(used).ok_or(Reason::CounterUsedUp)?;
                Ok(Kind::Hotp { algorithm, digits, counter })
            }
        }
    }
}

fn is_code(text: &str, digits: Digits) -> bool {
    text.len() == usize::from(digits.count()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &str = "3132333435363738393031323334353637383930";

    fn one(line: &str) -> Result<Imported, Refusal> {
        let mut all = parse(line);
        assert_eq!(all.len(), 1, "{line}");
        all.remove(0)
    }

    fn kind(token: &str) -> Result<Kind, Reason> {
        one(&format!("{token} ada - {RFC}")).map(|it| it.kind).map_err(|refusal| refusal.reason)
    }

    #[test]
    fn every_type_of_pam_oath_is_known() {
        let hotp = |digits| Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits(digits), counter: 0 };
        let totp = |step, digits| Kind::Totp {
            algorithm: Algorithm::Sha1,
            digits: Digits(digits),
            step: Step(step),
            drift: 0,
            last_step: None,
        };
        for (token, expected) in [
            ("HOTP", hotp(6)),
            ("HOTP/E", hotp(6)),
            ("HOTP/E/6", hotp(6)),
            ("HOTP/E/7", hotp(7)),
            ("HOTP/E/8", hotp(8)),
            ("HOTP/T30", totp(30, 6)),
            ("HOTP/T30/6", totp(30, 6)),
            ("HOTP/T30/7", totp(30, 7)),
            ("HOTP/T60", totp(60, 6)),
            ("HOTP/T60/8", totp(60, 8)),
        ] {
            assert_eq!(kind(token), Ok(expected), "{token}");
        }
    }

    #[test]
    fn other_types_are_refused_and_not_passed_over() {
        for (token, reason) in [
            ("HOTP/E/9", Reason::Digits(9)),
            ("HOTP/T10", Reason::Step(10)),
            ("HOTP/T", Reason::NotANumber("type")),
            ("HOTP/Efoo", Reason::NoKind),
            ("HOTP/E/6/6", Reason::NoKind),
            ("HOTPX", Reason::NoKind),
            ("MOTP", Reason::NoKind),
        ] {
            assert_eq!(kind(token), Err(reason), "{token}");
        }
    }

    /// pam_oath 2.6.7 wrote the second of these lines after it took the code of counter 5, and then took the one of 6.
    #[test]
    fn a_counter_beside_a_code_is_the_one_of_that_code() {
        for (line, next) in [
            (format!("HOTP\troot\t-\t{RFC}\t5"), 5),
            (format!("HOTP\troot\t-\t{RFC}\t5\t254676\t2026-11-22T06:24:13L"), 6),
            (format!("HOTP/E root - {RFC} 5 3 254676 2009-06-12T17:52:32L 192.0.2.1"), 5),
        ] {
            let Kind::Hotp { counter, .. } = one(&line).unwrap().kind else { panic!("{line}") };
            assert_eq!(counter, next, "{line}");
        }
        let full = one(&format!("HOTP root - {RFC} 18446744073709551615 254676 2026-11-22T06:24:13L"));
        assert_eq!(full.unwrap_err().reason, Reason::CounterUsedUp);
    }

    #[test]
    fn a_pin_is_reported_and_never_shown() {
        let with_pin = one(&format!("HOTP ada s3same {RFC}")).unwrap();
        assert_eq!(with_pin.notes, ["the PIN was not taken over: the code is typed alone"]);
        for none in ["-", "+"] {
            assert!(one(&format!("HOTP ada {none} {RFC}")).unwrap().notes.is_empty());
        }
    }

    #[test]
    fn refusals_say_the_line_and_show_no_secret() {
        let text = format!("# users\n\nHOTP ada - {RFC}\nHOTP bob - 00\n{RFC} HOTP ada -\nHOTP eve {RFC}\n");
        let told: Vec<_> =
            parse(&text).into_iter().filter_map(Result::err).map(|it| it.to_string()).collect();
        assert_eq!(
            told,
            [
                "line 4: the secret has 8 bits, fewer than 80. Enrol the person anew",
                "line 5: it is neither TOTP nor HOTP. Take it out, or enrol the person anew",
                "line 6: it does not have the columns type, user, PIN and secret. Complete the line, or take it out",
            ]
        );
    }

    #[test]
    fn a_person_may_have_several_tokens() {
        let users: Vec<_> =
            parse(&format!("HOTP ada - {RFC}\nHOTP/T30 ada - {RFC}")).into_iter().flatten().collect();
        assert_eq!(users.len(), 2);
        assert!(users.iter().all(|it| it.user.as_deref() == Some("ada")));
    }
}
