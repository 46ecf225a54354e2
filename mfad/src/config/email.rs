//! `[email]`: how a code looks, how it is sent, to whom, and how often.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::address::EmailAddress;

use super::address_source::{self, AddressSource};
use super::domain::{self, DomainPattern};
use super::duration::{self, days, minutes, seconds};
use super::fields::Fields;
use super::problem::{Problem, Problems};
use super::relay::{self, Relay};
use super::sendmail::{self, Sendmail};
use super::tree::{Entry, Node, Value};
use super::values::{self, Words, distinct_list, number, text};
use super::variables::{self, VariableError};

/// `[email]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Digits of a code: 6 to 10, default 6.
    pub digits: u8,
    /// How long a code is valid: 30 s to 10 min, default 5 min.
    pub lifetime: Duration,
    /// May hold `$USER $HOST $SERVICE $SOURCE $TIME $EXPIRES` and `$$`; see [`variables::expand`].
    /// Default `"Your login code for $HOST"`.
    pub subject: String,
    /// `Name <address>` or `address`; may hold `$HOST` and `$$`. Default `"mfad <mfad@$HOST>"`.
    pub from: String,
    /// The HTML part of the mail.
    pub template: TemplateSource,
    /// The way out.
    pub transport: Transport,
    /// Where addresses come from: never empty, the first that answers wins.
    pub address: Vec<AddressSource>,
    /// Where people may choose an address by themselves. Default: nowhere.
    pub self_enrol_domains: Vec<DomainPattern>,
    /// Most mails to one person: never empty, shortest window first. Default 5 in 10 min, 20 in a day.
    pub per_user: Vec<MailCap>,
    /// Whether sent codes are logged.
    pub log_codes: LogCodes,
}

/// The template of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateSource {
    /// The one that mfad was built with. The default where there is no `/etc/mfad/email.html`.
    BuiltIn,
    /// A file that was there when the configuration was read.
    File(PathBuf),
}

/// How mails leave this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// Relays, tried in order; never empty. Default: the mail server of this host, `smtp://localhost:25`.
    Smtp(Vec<Relay>),
    /// A program that reads a message.
    Sendmail(Sendmail),
    /// A Maildir that somebody picks mails up from: an absolute path that may hold `$USER` (who asked for the code) and
    /// `$$`.
    Maildir(String),
}

/// A limit on mails to one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailCap {
    /// 1 s to 7 days.
    pub within: Duration,
    /// 1 to 1000 mails.
    pub count: u32,
}

/// Whether sent codes and their addresses go to the log, as some sites must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogCodes {
    /// The default.
    No,
    /// Whoever reads the log can log in: warned of at each start.
    Yes,
}

#[derive(Clone, Copy, PartialEq)]
enum TransportName {
    Smtp,
    Sendmail,
    Maildir,
}

const TRANSPORT: Words<TransportName> = Words {
    now: &[
        ("smtp", TransportName::Smtp),
        ("sendmail", TransportName::Sendmail),
        ("maildir", TransportName::Maildir),
    ],
    later: &["relay"],
};

const DEFAULT_TEMPLATE: &str = "/etc/mfad/email.html";
const LONGEST_SUBJECT: usize = 200;
const DEFAULT_CAPS: [MailCap; 2] =
    [MailCap { within: minutes(10), count: 5 }, MailCap { within: days(1), count: 20 }];

pub(super) fn check(mut fields: Fields) -> Result<Email, Problems> {
    let email = Email {
        digits: fields.read("digits", 6, digits),
        lifetime: fields
            .read("lifetime", minutes(5), |node| duration::read(node, &(seconds(30)..=minutes(10)))),
        subject: fields.read("subject", "Your login code for $HOST".to_owned(), subject),
        from: fields.read("from", "mfad <mfad@$HOST>".to_owned(), sender),
        template: template(&mut fields),
        transport: transport(&mut fields),
        address: fields
            .read("address", address_source::defaults(), |node| distinct_list(node, address_source::read)),
        self_enrol_domains: fields.read("self-enrol-domains", Vec::new(), domain::read_all),
        per_user: fields.read("per-user", DEFAULT_CAPS.to_vec(), caps),
        log_codes: fields.read("log-codes", LogCodes::No, log_codes),
    };
    fields.done(email)
}

fn digits(node: &Node) -> Result<u8, Problem> {
    let digits = number(node, &(6..=10), "")?;
    u8::try_from(digits).map_err(|_| node.problem("too many digits", "write 6"))
}

fn log_codes(node: &Node) -> Result<LogCodes, Problem> {
    values::boolean(node).map(|logged| if logged { LogCodes::Yes } else { LogCodes::No })
}

fn subject(node: &Node) -> Result<String, Problem> {
    let text = text(node)?;
    if text.chars().count() > LONGEST_SUBJECT {
        return Err(
            node.problem(format!("the subject is longer than {LONGEST_SUBJECT} characters"), "shorten it")
        );
    }
    let known = |name: &str| {
        ["USER", "HOST", "SERVICE", "SOURCE", "TIME", "EXPIRES"].contains(&name).then_some("sample")
    };
    match variables::expand(text, known) {
        Ok(_) => Ok(text.to_owned()),
        Err(VariableError::Unknown(name)) if name == "MFA_TOKEN" => Err(node.problem(
            "the code must not be in the subject: locked screens show subjects",
            "remove $MFA_TOKEN; the body of the mail has the code",
        )),
        Err(error) => Err(node.problem(
            error.to_string(),
            "the variables of a subject are $USER $HOST $SERVICE $SOURCE $TIME $EXPIRES; $$ is a dollar",
        )),
    }
}

fn sender(node: &Node) -> Result<String, Problem> {
    let text = text(node)?;
    let sample =
        variables::expand(text, |name| (name == "HOST").then_some("host.example")).map_err(|error| {
            node.problem(error.to_string(), "the only variable of a sender is $HOST; $$ is a dollar")
        })?;
    let address = match sample.strip_suffix('>').and_then(|sample| sample.rsplit_once('<')) {
        Some((_, address)) => address,
        None => sample.as_str(),
    };
    let remedy =
        "write it as in \"mfad <mfad@$HOST>\"; a name with a comma or the like stands in \\\"quotes\\\"";
    EmailAddress::parse(address).map_err(|error| node.problem(error.to_string(), remedy))?;
    // What the mail library cannot read would be found when the first person waits for a code.
    let readable = sample.parse::<lettre::message::Mailbox>();
    readable.map_err(|_| node.problem("this is not a name and an address", remedy))?;
    Ok(text.to_owned())
}

fn template(fields: &mut Fields) -> TemplateSource {
    if fields.place("template").is_some() {
        return fields.read("template", TemplateSource::BuiltIn, |node| {
            values::existing_file(node).map(TemplateSource::File)
        });
    }
    // One that cannot be looked at is not taken for one that is not there.
    match Path::new(DEFAULT_TEMPLATE).try_exists() {
        Ok(false) => TemplateSource::BuiltIn,
        Ok(true) | Err(_) => TemplateSource::File(PathBuf::from(DEFAULT_TEMPLATE)),
    }
}

/// The keys of all transports are checked, also of those that are not chosen.
fn transport(fields: &mut Fields) -> Transport {
    let place = fields.place("transport");
    let name = fields.read("transport", TransportName::Smtp, |node| TRANSPORT.read(node));
    let relays = fields.read("smtp", vec![Relay::of_this_host()], relay::read_all);
    let sendmail = fields.read("sendmail", Sendmail::OfThisHost, sendmail::read);
    let maildir_is_set = fields.place("maildir").is_some();
    let maildir = fields.read("maildir", String::new(), maildir);
    if let (TransportName::Maildir, false, Some(place)) = (name, maildir_is_set, place) {
        let remedy = "add maildir = \"/var/mail-pickup/$USER\"";
        fields.refuse(place.problem("this transport needs the key maildir", remedy));
    }
    match name {
        TransportName::Smtp => Transport::Smtp(relays),
        TransportName::Sendmail => Transport::Sendmail(sendmail),
        TransportName::Maildir => Transport::Maildir(maildir),
    }
}

fn maildir(node: &Node) -> Result<String, Problem> {
    let text = text(node)?;
    let sample = variables::expand(text, |name| (name == "USER").then_some("user")).map_err(|error| {
        node.problem(error.to_string(), "the only variable of maildir is $USER; $$ is a dollar")
    })?;
    values::absolute(node, &sample)?;
    Ok(text.to_owned())
}

fn caps(node: &Node) -> Result<Vec<MailCap>, Problems> {
    let remedy = "write { \"10m\" = 5, \"1d\" = 20 }";
    let Value::Table(entries) = &node.value else {
        return Err(node.problem("a table of limits belongs here", remedy).into());
    };
    if entries.is_empty() {
        return Err(node.problem("there is no limit in it", remedy).into());
    }
    let mut caps = values::collect(entries.iter().map(cap))?;
    caps.sort_by_key(|cap| cap.within);
    if caps.windows(2).any(|pair| pair[0].within == pair[1].within) {
        return Err(node.problem("two limits are for the same time", "write one of them").into());
    }
    Ok(caps)
}

fn cap(entry: &Entry) -> Result<MailCap, Problem> {
    let within = duration::read_text(&entry.node, &entry.name, &(seconds(1)..=days(7)))?;
    let count = number(&entry.node, &(1..=1000), "")?;
    Ok(MailCap { within, count })
}
