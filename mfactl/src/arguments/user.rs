//! What an administrator does with one account.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::Person;

/// What to do with an account.
#[derive(Debug, Subcommand)]
pub enum UserVerb {
    /// Switch the second factor on
    Enable(Person),
    /// Switch the second factor off
    Disable(Person),
    /// Show the account: address, factors, locks, codes that are out
    Show(Person),
    /// Forget failures and locks
    Unlock(Person),
    /// Forget every factor and every code; switch and address stay
    Reset(Person),
    /// Set or clear the address that codes are mailed to
    // clap would name the group before the positional argument.
    #[command(override_usage = "mfactl user email [OPTIONS] <USER> <ADDRESS|--clear>")]
    Email(EmailArguments),
}

/// Whose address, and which.
#[derive(Debug, Args)]
pub struct EmailArguments {
    /// The account name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub user: String,

    /// Which address.
    #[command(flatten)]
    pub new: NewAddress,
}

/// An address, or that there shall be none.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct NewAddress {
    /// The new address
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub address: Option<String>,

    /// Keep no address in the account
    #[arg(long)]
    clear: bool,
}
