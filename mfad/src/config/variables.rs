//! `$NAME` in subjects, senders, templates, addresses and paths. `$$` is a dollar; anything else behind a `$` is an error,
//! so that a slip in a name is found when the configuration is read, and not by the person who waits for a mail.

/// What is wrong with a text that holds variables.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// No name, or one that has no value here. Without the `$`.
    #[error("${0} is not known here")]
    Unknown(String),
    /// A `$` that neither starts a name nor is written twice.
    #[error("a $ stands alone")]
    Lone,
}

/// Puts values in the place of variables. A value is taken as it is: what looks like a variable in it stays.
///
/// # Errors
/// [`VariableError`], if `value_of` has no value for a name that is used, or a `$` is alone.
pub fn expand<'v>(text: &str, value_of: impl Fn(&str) -> Option<&'v str>) -> Result<String, VariableError> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            expanded.push('$');
            rest = after;
            continue;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, after) = after.split_at(after.find(|c| !is_name(c)).unwrap_or(after.len()));
        if name.is_empty() {
            return Err(VariableError::Lone);
        }
        expanded.push_str(value_of(name).ok_or_else(|| VariableError::Unknown(name.to_owned()))?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str) -> Option<&'static str> {
        match name {
            "USER" => Some("ada"),
            "HOST" => Some("$USER"),
            _ => None,
        }
    }

    #[test]
    fn values_take_the_place_of_variables_once() {
        for (text, expanded) in [
            ("plain", "plain"),
            ("$USER@example.org", "ada@example.org"),
            ("for $USER on $HOST.", "for ada on $USER."),
            ("$$USER costs 5$$", "$USER costs 5$"),
            ("$USER$USER", "adaada"),
            ("ü$USERü", "üadaü"),
            ("", ""),
        ] {
            assert_eq!(expand(text, sample).as_deref(), Ok(expanded));
        }
    }

    #[test]
    fn an_unknown_name_and_a_lone_dollar_are_errors() {
        for (text, name) in
            [("$USERS", "USERS"), ("$user", "user"), ("$USER_", "USER_"), ("a $NOPE b", "NOPE")]
        {
            assert_eq!(expand(text, sample), Err(VariableError::Unknown(name.to_owned())));
        }
        for text in ["$", "5$ more", "${USER}", "$é", "$$$"] {
            assert_eq!(expand(text, sample), Err(VariableError::Lone), "{text}");
        }
    }
}
