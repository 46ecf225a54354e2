//! What a person does with their own factors; an administrator does it for them with `--user`.

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Args, Subcommand};
use protocol::Secret;

/// Whose account it is about.
#[derive(Debug, Args)]
pub struct Whose {
    /// Somebody else's account; for administrators
    #[arg(long, display_order = 80, value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,
}

/// Which ground the terminal draws on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Light text on dark ground.
    Dark,
    /// Dark text on light ground.
    Light,
}

/// Which factor to add.
#[derive(Debug, Args)]
pub struct Wish {
    /// totp (an app), hotp (a token), email, or the name of a hook
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub factor: String,

    /// Where a code reaches you: an address for email, what a hook understands
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub contact: Option<String>,

    /// The hash of a totp; most apps know only the first [default: SHA1]
    #[arg(
        long,
        ignore_case = true,
        value_parser = PossibleValuesParser::new(["SHA1", "SHA256", "SHA512"])
    )]
    algorithm: Option<String>,

    /// Digits of a code of a totp or hotp [default: 6]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(6..=8))]
    pub digits: Option<u32>,

    /// Seconds that a totp shows a code [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(15..=120))]
    pub step: Option<u32>,

    /// Draw for a terminal with dark text on light ground
    #[arg(long)]
    inverted: bool,

    /// Whose.
    #[command(flatten)]
    pub whose: Whose,
}

impl Wish {
    /// An app of this person's, as most apps are.
    pub fn app_of(user: &str) -> Self {
        Wish {
            factor: "totp".to_owned(),
            contact: None,
            algorithm: None,
            digits: None,
            step: None,
            inverted: false,
            whose: Whose { user: Some(user.to_owned()) },
        }
    }

    /// The hash, as mfad spells it.
    pub fn algorithm(&self) -> Option<String> {
        self.algorithm.as_deref().map(str::to_ascii_uppercase)
    }

    /// Which ground to draw for.
    pub fn ground(&self) -> Ground {
        if self.inverted { Ground::Light } else { Ground::Dark }
    }
}

/// Which factor to confirm, and by what.
#[derive(Debug, Args)]
pub struct Confirmation {
    /// The new factor, if there are several: totp-1
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: Option<String>,

    /// The code. Better leave it out and type it when asked: others see your command line
    #[arg(value_parser = secret)]
    code: Option<Secret>,

    /// Whose.
    #[command(flatten)]
    pub whose: Whose,
}

impl Confirmation {
    /// The factor, if it was named. A lone argument of digits is no name: it is the code.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref().filter(|_| !self.is_code_alone())
    }

    /// The code, if it was given.
    pub fn code(&self) -> Option<Secret> {
        match &self.id {
            Some(digits) if self.is_code_alone() => Some(Secret::new(digits.clone())),
            _ => self.code.clone(),
        }
    }

    fn is_code_alone(&self) -> bool {
        let digits = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ');
        self.code.is_none() && self.id.as_ref().is_some_and(digits)
    }
}

fn secret(text: &str) -> Result<Secret, &'static str> {
    if text.is_empty() { Err("a code has digits") } else { Ok(Secret::new(text.to_owned())) }
}

/// Which factor to take away.
#[derive(Debug, Args)]
pub struct Removal {
    /// The factor: totp-1, email
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub id: String,

    /// Whose.
    #[command(flatten)]
    pub whose: Whose,
}

/// Which factor to ask for first.
#[derive(Debug, Args)]
pub struct Preference {
    /// Which.
    #[command(flatten)]
    pub first: First,

    /// Whose.
    #[command(flatten)]
    pub whose: Whose,
}

/// A factor, or that the site's order shall count.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct First {
    /// The factor: totp-1, email
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub id: Option<String>,

    /// None: the order of this host counts
    #[arg(long)]
    none: bool,
}

/// What to do with recovery codes.
#[derive(Debug, Subcommand)]
pub enum RecoveryVerb {
    /// Make new ones; the old ones end
    New(Whose),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(id: Option<&str>, code: Option<&str>) -> (Option<String>, Option<String>) {
        let wanted = Confirmation {
            id: id.map(str::to_owned),
            code: code.map(|code| Secret::new(code.to_owned())),
            whose: Whose { user: None },
        };
        (wanted.id().map(str::to_owned), wanted.code().map(|code| code.expose().to_owned()))
    }

    #[test]
    fn a_lone_argument_of_digits_is_the_code() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read(None, None), (None, None));
        assert_eq!(read(Some("482915"), None), (None, some("482915")));
        assert_eq!(read(Some("482 915"), None), (None, some("482 915")));
        assert_eq!(read(Some("totp-1"), None), (some("totp-1"), None));
        assert_eq!(read(Some("totp-1"), Some("482915")), (some("totp-1"), some("482915")));
        assert_eq!(read(Some("7"), Some("482915")), (some("7"), some("482915")));
    }
}
