//! Makes the mails: a login code with the facts of the login around it, and plain notices. What they say is
//! in [`Body`].

use jiff::{Timestamp, tz::TimeZone};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};
use protocol::{Secret, text::printable};
use zeroize::Zeroizing;

use super::body::Body;
use super::template::{Template, Variable};
use crate::address::{AddressError, EmailAddress};

/// A finished message, ready for any courier.
#[derive(Clone)]
pub struct Message {
    /// The account it is for: picks a Maildir, and names the message in the log.
    pub user: String,
    /// The one recipient.
    pub to: EmailAddress,
    /// The envelope sender, where bounces go.
    pub from: EmailAddress,
    /// Headers and body as RFC 5322 has them, lines ending in CR LF. Wiped on drop: it holds the code.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("user", &self.user).field("to", &self.to).finish_non_exhaustive()
    }
}

impl Message {
    /// The bytes with lines ending in LF: what sendmail programs read and Maildirs hold.
    pub(crate) fn unix_lines(&self) -> Zeroizing<Vec<u8>> {
        let mut lines = Zeroizing::new(Vec::with_capacity(self.bytes.len()));
        for line in self.bytes.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\r\n") {
                Some(line) => {
                    lines.extend_from_slice(line);
                    lines.push(b'\n');
                }
                None => lines.extend_from_slice(line),
            }
        }
        lines
    }
}

/// Whom the mails come from, as `name <address>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    name: Option<String>,
    address: EmailAddress,
}

impl Sender {
    /// Reads `name <address>` or `address`; `$HOST` becomes `host`. Control characters in the name become `?`.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn parse(text: &str, host: &str) -> Result<Self, AddressError> {
        let text = text.replace("${HOST}", host).replace("$HOST", host);
        let Some((name, address)) = text.trim().strip_suffix('>').and_then(|text| text.rsplit_once('<'))
        else {
            return Ok(Sender { name: None, address: EmailAddress::parse(text.trim())? });
        };
        let name = printable(name.trim().trim_matches('"'));
        Ok(Sender {
            name: Some(name).filter(|name| !name.is_empty()),
            address: EmailAddress::parse(address.trim())?,
        })
    }

    /// The address alone: the envelope sender.
    pub fn address(&self) -> &EmailAddress {
        &self.address
    }
}

/// The facts of one login that its mail tells.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// Where the mail goes.
    pub to: &'a EmailAddress,
    /// The code.
    pub code: &'a Secret,
    /// The account.
    pub user: &'a str,
    /// This host, as people know it.
    pub host: &'a str,
    /// The PAM service.
    pub service: &'a str,
    /// Where the login comes from, in words: an address, a tty.
    pub source: &'a str,
    /// When the code was made.
    pub time: Timestamp,
    /// When it stops working.
    pub expires: Timestamp,
}

/// Why a message could not be made. The facts are sanitised before they are used, so only an address can be at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// This address cannot stand in a header.
    #[error("{0} cannot be written in a mail header")]
    Address(EmailAddress),
    /// No random bytes for the Message-ID.
    #[error("the kernel gave no random bytes")]
    Random,
    /// The library that writes MIME refused.
    #[error("the mail could not be composed: {0}")]
    Compose(String),
}

/// Makes the mail that carries a code. Times are shown in the time zone of this host.
///
/// # Errors
/// [`RenderError`].
pub fn render(
    body: &Body,
    subject: &Template,
    from: &Sender,
    letter: &Letter<'_>,
) -> Result<Message, RenderError> {
    let facts = Facts::of(letter);
    let mut subject_line = Zeroizing::new(String::with_capacity(128));
    subject.fill(&mut subject_line, |variable| facts.value(variable));
    let (html, text) = (facts.fill(&body.html), facts.fill(&body.text));
    let parts = MultiPart::alternative()
        .boundary(random_hex()?)
        .singlepart(SinglePart::builder().content_type(ContentType::TEXT_PLAIN).body(text))
        .singlepart(SinglePart::builder().content_type(ContentType::TEXT_HTML).body(html));
    let mail = headers(from, letter.to, &subject_line, letter.time)?.multipart(parts);
    finish(from, letter.to, letter.user, mail)
}

/// Makes a mail of plain text lines: for security contacts, old addresses and tests of the transport.
///
/// # Errors
/// [`RenderError`].
pub fn notice(
    from: &Sender,
    to: &EmailAddress,
    user: &str,
    subject: &str,
    lines: &[&str],
) -> Result<Message, RenderError> {
    let text = lines.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\r\n");
    let part = SinglePart::builder().content_type(ContentType::TEXT_PLAIN).body(text);
    let mail = headers(from, to, subject, Timestamp::now())?.singlepart(part);
    finish(from, to, user, mail)
}

/// The letter in words, sanitised.
struct Facts<'a> {
    code: &'a str,
    user: String,
    host: String,
    service: String,
    source: String,
    time: String,
    expires: String,
}

impl<'a> Facts<'a> {
    fn of(letter: &Letter<'a>) -> Self {
        let zone = TimeZone::system();
        let moment = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
        Facts {
            code: letter.code.expose(),
            user: fact(letter.user),
            host: fact(letter.host),
            service: fact(letter.service),
            source: fact(letter.source),
            time: moment(letter.time),
            expires: moment(letter.expires),
        }
    }

    fn value(&self, variable: Variable) -> &str {
        match variable {
            Variable::MfaToken => self.code,
            Variable::User => &self.user,
            Variable::Host => &self.host,
            Variable::Service => &self.service,
            Variable::Source => &self.source,
            Variable::Time => &self.time,
            Variable::Expires => &self.expires,
        }
    }

    fn fill(&self, template: &Template) -> String {
        let mut filled = String::with_capacity(template.fixed_len() + 512);
        template.fill(&mut filled, |variable| self.value(variable));
        filled
    }
}

/// The longest fact that goes into a mail, in characters: enough for any host name.
const FACT_LIMIT: usize = 256;

fn fact(text: &str) -> String {
    printable(text).chars().take(FACT_LIMIT).collect()
}

fn headers(
    from: &Sender,
    to: &EmailAddress,
    subject: &str,
    date: Timestamp,
) -> Result<MessageBuilder, RenderError> {
    let mailbox = |name: Option<String>, address: &EmailAddress| {
        let parsed = address.as_str().parse().map_err(|_| RenderError::Address(address.clone()))?;
        Ok(Mailbox::new(name, parsed))
    };
    let subject: String = printable(subject).chars().take(FACT_LIMIT).collect();
    Ok(lettre::Message::builder()
        .from(mailbox(from.name.clone(), &from.address)?)
        .to(mailbox(None, to)?)
        .subject(subject)
        .date(date.into())
        .message_id(Some(format!("<{}@{}>", random_hex()?, from.address.domain())))
        .raw_header(raw(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated"))
        .raw_header(raw(HeaderName::new_from_ascii_str("X-Auto-Response-Suppress"), "All")))
}

fn raw(name: HeaderName, value: &str) -> HeaderValue {
    HeaderValue::new(name, value.to_owned())
}

fn finish(
    from: &Sender,
    to: &EmailAddress,
    user: &str,
    mail: Result<lettre::Message, lettre::error::Error>,
) -> Result<Message, RenderError> {
    let mail = mail.map_err(|error| RenderError::Compose(printable(&error.to_string())))?;
    Ok(Message {
        user: user.to_owned(),
        to: to.clone(),
        from: from.address.clone(),
        bytes: Zeroizing::new(mail.formatted()),
    })
}

fn random_hex() -> Result<String, RenderError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| RenderError::Random)?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}
