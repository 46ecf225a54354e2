//! Why a request was understood and refused. Each is a fact and a remedy.

use protocol::call::Fault;

use crate::address::AddressError;
use crate::factor::bypass::NotIssued;
use crate::people::LookupError;
use crate::rules::change::NoBypass;
use crate::rules::enrol::NotStarted;
use crate::rules::import::NotImported;
use crate::store::StoreError;
use crate::vault::KeyError;

#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("there is no user {0}. Check the name with `getent passwd {0}`")]
    NoSuchUser(String),
    #[error("uid {0} has no name here. Check it with `getent passwd {0}`")]
    Nameless(u32),
    #[error("{0:?} is no user name")]
    NoName(String),
    #[error("{0:?} is no address: {1}")]
    Address(String, AddressError),
    #[error(
        "{user} had uid {bound} when the account was made and has uid {now} now: this is somebody else. \
             If the old one is to be forgotten: mfactl user disable {user}, mfactl user reset {user}, then again"
    )]
    UidChanged { user: String, bound: u32, now: u32 },
    #[error("prove who you are first: this needs a code of a factor that you have")]
    ProofNeeded,
    #[error("{0} is not a factor that can be enrolled here. Possible: {1}")]
    NoSuchFactor(String, String),
    #[error("{0} judges by itself, so an administrator says who has it: mfactl enrol {0} --user NAME")]
    OnlyByAdministrator(String),
    #[error("{0} needs to know where a code reaches you. Say it after {0}")]
    NoContact(String),
    #[error(
        "people may choose an address by themselves only in the domains of email.self-enrol-domains. \
             An administrator sets any: mfactl user email"
    )]
    Domain,
    #[error("{0}")]
    Parameter(&'static str),
    #[error("no enrolment waits under that name. Start one: mfactl enrol")]
    NothingPending,
    #[error("several enrolments wait: {0}. Say which one")]
    SeveralPending(String),
    #[error("wrong code. {0} tries left")]
    WrongCode(u32),
    #[error("{0}")]
    Ended(String),
    #[error("{0} is not one of the factors: {1}")]
    NoFactor(String, String),
    #[error(
        "{0} is not among login.factors: its codes would be refused. Add it in mfad.toml, or use another way"
    )]
    NotAllowed(&'static str),
    #[error("the code could not be sent: {0}")]
    NotSent(String),
    #[error("the new configuration is refused, the old one stays: {0}")]
    Configuration(String),
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    #[error(transparent)]
    NoBypass(#[from] NoBypass),
    #[error(transparent)]
    NoTicket(#[from] NotIssued),
    #[error(transparent)]
    NotImported(#[from] NotImported),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Lookup(#[from] LookupError),
    #[error(transparent)]
    Fault(Fault),
}
