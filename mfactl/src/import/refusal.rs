//! What cannot be taken over: where it stands, why, and what to do instead. No reason quotes the text that it is
//! about, unless that is a number or a user's name: in a line with a missing column, anything may be the secret.

use std::fmt;

/// An entry that cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}. {}", reason.remedy())]
pub struct Refusal {
    /// Where it stands.
    pub place: Place,
    /// Whose it is, if that could be read.
    pub user: Option<String>,
    /// Why it is refused; its remedy is [`Reason::remedy`].
    pub reason: Reason,
}

/// Where an entry stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line, counted from 1.
    pub line: usize,
    /// The entry of a line that holds several, counted from 1.
    pub entry: Option<usize>,
}

impl Place {
    /// A whole line, counted from 0 as iterators do.
    pub(super) fn at_line(index: usize) -> Self {
        Place { line: index + 1, entry: None }
    }

    /// One entry of this line, counted from 0.
    pub(super) fn with_entry(self, index: usize) -> Self {
        Place { entry: Some(index + 1), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        self.entry.map_or(Ok(()), |entry| write!(f, ", entry {entry}"))
    }
}

/// Why an entry cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// There is none.
    #[error("there is no secret")]
    NoSecret,
    /// Not RFC 4648, section 6.
    #[error("the secret is not base 32")]
    NotBase32,
    /// Not pairs of hexadecimal digits.
    #[error("the secret is not hexadecimal")]
    NotHexadecimal,
    /// It can be guessed. Holds its bits.
    #[error("the secret has {0} bits, fewer than 80")]
    ShortSecret(usize),
    /// No app makes such. Holds its bits.
    #[error("the secret has {0} bits, more than 1024")]
    LongSecret(usize),
    /// Out of range.
    #[error("its codes have {0} digits, not 6 to 8")]
    Digits(u64),
    /// Out of range.
    #[error("its codes are shown for {0} seconds, not 15 to 120")]
    Step(u64),
    /// A hash, or a way to write codes, that mfad does not know.
    #[error("{0} codes are not known to mfad")]
    Algorithm(&'static str),
    /// A field that should be a number is none.
    #[error("its {0} is not a number")]
    NotANumber(&'static str),
    /// The counter cannot go up any more.
    #[error("its counter is used up")]
    CounterUsedUp,
    /// HOTP without a counter.
    #[error("it is counted, but has no counter")]
    NoCounter,
    /// Neither TOTP nor HOTP, or not said which.
    #[error("it is neither TOTP nor HOTP")]
    NoKind,
    /// Columns are missing.
    #[error("it does not have the columns type, user, PIN and secret")]
    Columns,
    /// It cannot be read as an otpauth URI.
    #[error("it is not an otpauth URI in UTF-8")]
    Uri,
    /// A parameter is there twice.
    #[error("the parameter {0} is there twice")]
    Twice(&'static str),
    /// The export of an app is damaged.
    #[error("the export is damaged or cut off")]
    Migration,
}

impl Reason {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Reason::NoSecret | Reason::NotBase32 | Reason::NotHexadecimal => {
                "Correct the secret, or enrol the person anew"
            }
            Reason::ShortSecret(_)
            | Reason::LongSecret(_)
            | Reason::Digits(_)
            | Reason::Step(_)
            | Reason::Algorithm(_)
            | Reason::CounterUsedUp => "Enrol the person anew",
            Reason::NotANumber(_) => "Correct the number, or enrol the person anew",
            Reason::NoCounter => "Add counter=N with the counter of the next code",
            Reason::NoKind => "Take it out, or enrol the person anew",
            Reason::Columns => "Complete the line, or take it out",
            Reason::Uri => "Copy the whole URI again, one a line: otpauth://totp/NAME?secret=BASE32",
            Reason::Twice(_) => "Leave the right one and take the other out",
            Reason::Migration => "Export from the app again, and copy the whole text of the QR code",
        }
    }
}
