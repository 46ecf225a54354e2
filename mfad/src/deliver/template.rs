//! Templates with `$NAME`, `${NAME}` and `$$`. They are read once, when the configuration is loaded, so that a mistake
//! shows up there with its line and never at somebody's login.

use std::fmt;

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    kind: Kind,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Html,
    Line,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Variable(Variable),
}

/// What a template can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// `$MFA_TOKEN`: the code.
    MfaToken,
    /// `$USER`: who logs in.
    User,
    /// `$HOST`: where.
    Host,
    /// `$SERVICE`: the PAM service, such as `sshd`.
    Service,
    /// `$SOURCE`: where from.
    Source,
    /// `$TIME`: when it was asked for.
    Time,
    /// `$EXPIRES`: when the code stops working.
    Expires,
}

const VARIABLES: [(&str, Variable); 7] = [
    ("MFA_TOKEN", Variable::MfaToken),
    ("USER", Variable::User),
    ("HOST", Variable::Host),
    ("SERVICE", Variable::Service),
    ("SOURCE", Variable::Source),
    ("TIME", Variable::Time),
    ("EXPIRES", Variable::Expires),
];

/// A mistake in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The line it is in, from 1; the last line for what is missing.
    pub line: usize,
    /// What is wrong there.
    pub mistake: Mistake,
}

/// What can be wrong in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistake {
    /// No variable has this name.
    Unknown(String),
    /// `${` without its `}`.
    Unclosed,
    /// The body never shows the code.
    NoCode,
}

impl Template {
    /// Reads the HTML body of a login mail. Values are escaped when it is filled in.
    ///
    /// # Errors
    /// [`TemplateError`]; also when `$MFA_TOKEN` is not in it.
    pub fn html(text: &str) -> Result<Self, TemplateError> {
        let template = Template { kind: Kind::Html, parts: parse(text)? };
        let shows_code = |part: &Part| matches!(part, Part::Variable(Variable::MfaToken));
        if !template.parts.iter().any(shows_code) {
            return Err(TemplateError { line: text.lines().count().max(1), mistake: Mistake::NoCode });
        }
        Ok(template)
    }

    /// Reads a text that is not HTML, such as a subject.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn line(text: &str) -> Result<Self, TemplateError> {
        Ok(Template { kind: Kind::Line, parts: parse(text)? })
    }

    /// Appends the filled template to `to`; `value` knows what each variable stands for.
    pub(crate) fn fill<'v>(&self, to: &mut String, value: impl Fn(Variable) -> &'v str) {
        for part in &self.parts {
            match part {
                Part::Text(text) => to.push_str(text),
                Part::Variable(variable) if self.kind == Kind::Html => escape(value(*variable), to),
                Part::Variable(variable) => to.push_str(value(*variable)),
            }
        }
    }

    /// The bytes of its fixed text: a lower bound of what filling it in yields.
    pub(crate) fn fixed_len(&self) -> usize {
        let text = |part: &Part| if let Part::Text(text) = part { text.len() } else { 0 };
        self.parts.iter().map(text).sum()
    }
}

/// The body that is used when the configuration names none.
impl Default for Template {
    fn default() -> Self {
        Template { kind: Kind::Html, parts: parse(DEFAULT_HTML).unwrap_or_default() }
    }
}

/// The text of the default body, for `mfactl` and the package to show.
pub const DEFAULT_HTML: &str = include_str!("../../../packaging/email.html");

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.mistake {
            Mistake::Unknown(name) => {
                write!(f, "${name} is unknown; write")?;
                for (known, _) in VARIABLES {
                    write!(f, " ${known}")?;
                }
                f.write_str(", or $$ for a dollar sign")
            }
            Mistake::Unclosed => f.write_str("${ without its }; write ${NAME}, or $$ for a dollar sign"),
            Mistake::NoCode => f.write_str("the code is never shown; put $MFA_TOKEN where it belongs"),
        }
    }
}

impl std::error::Error for TemplateError {}

fn parse(text: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut fixed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        fixed.push_str(&rest[..at]);
        let line = 1 + text[..text.len() - rest.len() + at].matches('\n').count();
        let after = &rest[at + 1..];
        let (token, length) = token(after).map_err(|mistake| TemplateError { line, mistake })?;
        match token {
            Some(variable) => {
                parts.push(Part::Text(std::mem::take(&mut fixed)));
                parts.push(Part::Variable(variable));
            }
            None => fixed.push('$'),
        }
        rest = &after[length..];
    }
    fixed.push_str(rest);
    parts.push(Part::Text(fixed));
    Ok(parts)
}

/// Reads what follows a dollar sign: the variable, or none for a literal dollar, and how many bytes belong to it.
fn token(after: &str) -> Result<(Option<Variable>, usize), Mistake> {
    if after.starts_with('$') {
        return Ok((None, 1));
    }
    if let Some(braced) = after.strip_prefix('{') {
        let end = braced.find(['}', '\n']).ok_or(Mistake::Unclosed)?;
        if !braced[end..].starts_with('}') {
            return Err(Mistake::Unclosed);
        }
        return Ok((Some(variable(&braced[..end])?), end + 2));
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
    if after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Ok((Some(variable(&after[..end])?), end));
    }
    Ok((None, 0))
}

fn variable(name: &str) -> Result<Variable, Mistake> {
    let known = VARIABLES.iter().find(|(known, _)| *known == name);
    known.map(|(_, variable)| *variable).ok_or_else(|| Mistake::Unknown(name.chars().take(40).collect()))
}

fn escape(value: &str, to: &mut String) {
    for c in value.chars() {
        match c {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '"' => to.push_str("&quot;"),
            '\'' => to.push_str("&#39;"),
            other => to.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &Template) -> String {
        let mut text = String::new();
        template.fill(&mut text, |variable| match variable {
            Variable::MfaToken => "123456",
            Variable::User => "<b>\"ada\" & 'co'",
            _ => "x",
        });
        text
    }

    #[test]
    fn names_are_filled_in_with_and_without_braces_and_a_doubled_dollar_is_one() {
        let template = Template::html("<b>$MFA_TOKEN</b> ${MFA_TOKEN}0 $$5 $5 costs $").unwrap();
        assert_eq!(filled(&template), "<b>123456</b> 1234560 $5 $5 costs $");
    }

    #[test]
    fn values_are_escaped_in_html_and_untouched_in_a_line() {
        let html = Template::html("$MFA_TOKEN$USER").unwrap();
        assert_eq!(filled(&html), "123456&lt;b&gt;&quot;ada&quot; &amp; &#39;co&#39;");
        assert_eq!(filled(&Template::line("$USER").unwrap()), "<b>\"ada\" & 'co'");
    }

    #[test]
    fn a_mistake_is_found_when_the_template_is_read_and_named_with_its_line() {
        let error = |text| Template::html(text).map(|_| ()).unwrap_err();
        let unknown = error("one\ntwo $MFA_CODE");
        assert_eq!(unknown, TemplateError { line: 2, mistake: Mistake::Unknown("MFA_CODE".into()) });
        assert!(unknown.to_string().starts_with("line 2: $MFA_CODE is unknown; write $MFA_TOKEN $USER"));
        assert_eq!(error("$MFA_TOKEN\n\n${USER\n}").line, 3);
        assert_eq!(error("${USER").mistake, Mistake::Unclosed);
        assert_eq!(error("no\ncode\n").mistake, Mistake::NoCode);
    }

    #[test]
    fn the_default_body_is_a_valid_template() {
        Template::html(DEFAULT_HTML).unwrap();
    }
}
