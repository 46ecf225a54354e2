//! The envelope of a call and of its reply, and the table of errors that both interfaces share.
//!
//! A method is a type that holds its parameters: [`Method`] ties it to its name and its reply, so a client cannot
//! read the wrong reply and a server cannot send one.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A type that holds the parameters of one method.
pub trait Method: Serialize + DeserializeOwned {
    /// The full name, interface included.
    const NAME: &'static str;
    /// What a successful call answers.
    type Reply: Serialize + DeserializeOwned;
}

/// A call as it arrives, its parameters not read yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call<'a> {
    /// The full name of the method.
    #[serde(borrow)]
    pub method: std::borrow::Cow<'a, str>,
    /// The parameters, as they came.
    #[serde(borrow, default)]
    pub parameters: Option<&'a RawValue>,
    /// The caller wants a stream of replies.
    #[serde(default)]
    pub more: bool,
}

impl<'a> Call<'a> {
    /// Reads the envelope.
    ///
    /// # Errors
    /// [`Fault::InvalidFrame`] for anything that is not a call; fields that nobody defined included.
    pub fn parse(frame: &'a [u8]) -> Result<Self, Fault> {
        serde_json::from_slice(frame).map_err(|_| Fault::InvalidFrame)
    }

    /// Reads the parameters as those of method `M`.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`]; its text names no value that the caller sent.
    pub fn parameters<M: Method>(&self) -> Result<M, Fault> {
        let text = self.parameters.map_or("{}", RawValue::get);
        serde_json::from_str(text).map_err(|_| Fault::InvalidParameter)
    }
}

/// What a caller did wrong, or why it may not ask. The same short list for both interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not JSON, or not a call.
    #[error("the frame is not a call")]
    InvalidFrame,
    /// No such method on this socket.
    #[error("there is no such method")]
    MethodNotFound,
    /// A parameter is missing, unknown, or of the wrong type.
    #[error("a parameter is wrong")]
    InvalidParameter,
    /// The peer's uid may not ask this.
    #[error("this peer may not ask that")]
    PermissionDenied,
    /// The peer speaks a version of the protocol that is not served.
    #[error("this version of the protocol is not served")]
    UnsupportedVersion,
    /// The login named is not the one of this connection, or the question is not the open one.
    #[error("there is no such login or question")]
    UnknownLogin,
}

impl Fault {
    /// Every fault: the table that tests walk.
    pub const ALL: [Fault; 6] = [
        Fault::InvalidFrame,
        Fault::MethodNotFound,
        Fault::InvalidParameter,
        Fault::PermissionDenied,
        Fault::UnsupportedVersion,
        Fault::UnknownLogin,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Fault::InvalidFrame => "io.mfad.InvalidFrame",
            Fault::MethodNotFound => "org.varlink.service.MethodNotFound",
            Fault::InvalidParameter => "org.varlink.service.InvalidParameter",
            Fault::PermissionDenied => "org.varlink.service.PermissionDenied",
            Fault::UnsupportedVersion => "io.mfad.UnsupportedVersion",
            Fault::UnknownLogin => "io.mfad.UnknownLogin",
        }
    }
}

/// Why a call brought no reply that can be used.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The peer answered with an error: its name, and its `reason` where it gave one.
    #[error("{reason} ({name})")]
    Refused {
        /// The error's full name.
        name: String,
        /// A sentence for people; the name again where there is none.
        reason: String,
    },
    /// The peer's bytes are not a reply to this call.
    #[error("the reply is malformed")]
    Malformed,
}

#[derive(Serialize)]
struct Outgoing<'a, P> {
    method: &'static str,
    parameters: &'a P,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
}

/// How many replies a caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replies {
    /// One.
    One,
    /// A stream, until one comes without `continues`.
    Many,
}

/// A call of method `M`, ready to be framed.
pub fn outgoing<M: Method>(method: &M, replies: Replies) -> impl Serialize + '_ {
    Outgoing { method: M::NAME, parameters: method, more: replies == Replies::Many }
}

#[derive(Serialize)]
struct Success<'a, P> {
    parameters: &'a P,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    continues: bool,
}

/// Whether more replies follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// The only or last reply.
    Last,
    /// Another follows.
    Continues,
}

/// A reply, ready to be framed.
pub fn success<P: Serialize>(reply: &P, position: Position) -> impl Serialize + '_ {
    Success { parameters: reply, continues: position == Position::Continues }
}

/// An error reply, ready to be framed. `reason` is a sentence for people: what, and what to do.
pub fn failure<'a>(name: &'a str, reason: &'a str) -> impl Serialize + 'a {
    #[derive(Serialize)]
    struct Reason<'a> {
        reason: &'a str,
    }
    #[derive(Serialize)]
    struct Failure<'a> {
        error: &'a str,
        parameters: Reason<'a>,
    }
    Failure { error: name, parameters: Reason { reason } }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Incoming<'a> {
    #[serde(borrow, default)]
    error: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    parameters: Option<&'a RawValue>,
    #[serde(default)]
    continues: bool,
}

/// Reads a reply to a call of method `M`.
///
/// # Errors
/// [`CallError::Refused`] if the peer answered with an error, [`CallError::Malformed`] if the bytes are no reply.
pub fn parse_reply<M: Method>(frame: &[u8]) -> Result<(M::Reply, Position), CallError> {
    #[derive(Deserialize)]
    struct Reason {
        reason: String,
    }
    let incoming: Incoming<'_> = serde_json::from_slice(frame).map_err(|_| CallError::Malformed)?;
    let text = incoming.parameters.map_or("{}", RawValue::get);
    if let Some(name) = incoming.error {
        let reason = serde_json::from_str(text).map_or_else(|_| name.to_string(), |said: Reason| said.reason);
        return Err(CallError::Refused { name: name.into_owned(), reason });
    }
    let reply = serde_json::from_str(text).map_err(|_| CallError::Malformed)?;
    Ok((reply, if incoming.continues { Position::Continues } else { Position::Last }))
}
