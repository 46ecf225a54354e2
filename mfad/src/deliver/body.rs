//! The two bodies of a mail with a code: the HTML of the template, and a text that says the same. For the built-in
//! template the text is written by hand; for a site's own it is made from the HTML, tags away.

use super::template::{Template, TemplateError};

/// The text beside the built-in HTML.
const DEFAULT_TEXT: &str = "Your login code is $MFA_TOKEN\n\n\
    Somebody is logging in to $HOST as $USER. If that is you, type this code:\n\n$MFA_TOKEN\n\n\
    It works once, for this login, until $EXPIRES.\n\n\
    User:     $USER\nHost:     $HOST\nService:  $SERVICE\nFrom:     $SOURCE\nTime:     $TIME\nExpires:  $EXPIRES\n\n\
    Not you? Somebody knows your password: change it and tell your administrator.\n";

/// Elements that start a line of their own.
const BLOCKS: [&str; 20] = [
    "p",
    "div",
    "br",
    "tr",
    "table",
    "li",
    "ul",
    "ol",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "body",
    "section",
    "header",
    "footer",
    "blockquote",
];

/// Elements whose content nobody sees.
const HIDDEN: [&str; 4] = ["head", "style", "script", "title"];

/// Both bodies.
#[derive(Debug, Clone)]
pub struct Body {
    pub(super) html: Template,
    pub(super) text: Template,
}

impl Body {
    /// Reads a site's own HTML.
    ///
    /// # Errors
    /// [`TemplateError`]; also when `$MFA_TOKEN` is not in it.
    pub fn from_html(html: &str) -> Result<Self, TemplateError> {
        let mut text = plain(html);
        if !text.contains("MFA_TOKEN") {
            text.insert_str(0, "$MFA_TOKEN\n\n");
        }
        Ok(Body { html: Template::html(html)?, text: Template::line(&text)? })
    }
}

impl Default for Body {
    fn default() -> Self {
        let text = Template::line(DEFAULT_TEXT).unwrap_or_default();
        Body { html: Template::default(), text }
    }
}

/// What a reader of the HTML sees, as lines of text. Good enough for mails; no browser.
fn plain(html: &str) -> String {
    let mut text = Lines::default();
    let mut rest = html;
    let mut hidden: Option<String> = None;
    while let Some(at) = rest.find('<') {
        if hidden.is_none() {
            text.add(&rest[..at]);
        }
        let inside = &rest[at + 1..];
        if let Some(comment) = inside.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let (tag, after) = inside.split_once('>').unwrap_or((inside, ""));
        rest = after;
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_lowercase();
        match &hidden {
            Some(open) if tag.starts_with('/') && *open == name => hidden = None,
            Some(_) => {}
            None if HIDDEN.contains(&name.as_str()) && !tag.starts_with('/') => hidden = Some(name),
            None if BLOCKS.contains(&name.as_str()) => text.end_line(),
            None if name == "td" || name == "th" => text.add(" "),
            None => {}
        }
    }
    if hidden.is_none() {
        text.add(rest);
    }
    text.finish()
}

/// Lines with single spaces and no more than one empty line in a row.
#[derive(Default)]
struct Lines {
    done: String,
    line: String,
}

impl Lines {
    fn add(&mut self, html: &str) {
        self.line.push_str(&decoded(html));
    }

    fn end_line(&mut self) {
        let words: Vec<&str> = self.line.split_whitespace().collect();
        if !words.is_empty() {
            self.done.push_str(&words.join(" "));
            self.done.push('\n');
        } else if !self.done.is_empty() && !self.done.ends_with("\n\n") {
            self.done.push('\n');
        }
        self.line.clear();
    }

    fn finish(mut self) -> String {
        self.end_line();
        format!("{}\n", self.done.trim_end())
    }
}

/// The entities that people write in mails; others stay as they are.
fn decoded(html: &str) -> String {
    let named = [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&mdash;", "-"),
        ("&ndash;", "-"),
        ("&hellip;", "..."),
        ("&auml;", "ä"),
        ("&ouml;", "ö"),
        ("&uuml;", "ü"),
        ("&Auml;", "Ä"),
        ("&Ouml;", "Ö"),
        ("&Uuml;", "Ü"),
        ("&szlig;", "ß"),
        ("&eacute;", "é"),
        ("&egrave;", "è"),
        // Last: what it yields is text, not the start of another entity.
        ("&amp;", "&"),
    ];
    named.iter().fold(html.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_what_the_html_shows() {
        let html = "<html><head><title>x</title><style>p { color: red }</style></head><body><!-- <p>no</p> -->\n\
            <p>Gr&uuml;&szlig;e <b>$USER</b> &amp; Co:\n  <i>$MFA_TOKEN</i></p>\
            <table><tr><td>From</td><td>$SOURCE</td></tr></table>1 &lt; 2</body></html>";
        assert_eq!(plain(html), "Grüße $USER & Co: $MFA_TOKEN\n\nFrom $SOURCE\n\n1 < 2\n");
    }

    #[test]
    fn html_that_is_broken_off_is_no_harm() {
        for html in ["<", "<p", "a<!--", "<style>p{}", "<p>$MFA_TOKEN</p", "&amp", "<td><td>"] {
            let _ = plain(html);
        }
        assert!(Body::from_html("<p>no code</p>").is_err());
    }

    #[test]
    fn a_code_that_only_the_html_shows_is_put_before_the_text() {
        let body = Body::from_html("<img alt=\"$MFA_TOKEN\"><p>Hello</p>").unwrap();
        let mut text = String::new();
        body.text.fill(&mut text, |_| "123456");
        assert_eq!(text, "123456\n\nHello\n");
    }
}
