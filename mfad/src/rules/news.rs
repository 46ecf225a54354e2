//! What a person is told by mail when something about their factors changed or was used: to the address that was known
//! before, so that whoever takes an account over cannot hide it.

/// Something that the person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// One sentence.
    pub text: String,
    /// Who else hears of it.
    pub audience: Audience,
}

/// Who hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The person.
    Person,
    /// The person, and `login.security-contact`.
    PersonAndSecurity,
}

impl News {
    /// For the person alone.
    pub fn of(text: impl Into<String>) -> Self {
        News { text: text.into(), audience: Audience::Person }
    }

    /// For those who watch over the site, too.
    pub fn for_security_too(text: impl Into<String>) -> Self {
        News { text: text.into(), audience: Audience::PersonAndSecurity }
    }
}
