//! The second word of a line: what libpam makes of each code (libpam/pam_handlers.c, and `_pam_parse_control` in
//! libpam/pam_misc.c). What it cannot read makes every code bad, success too.

use super::code::{Code, NAMES};

/// What happens at a code (pam.conf(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing.
    Ignore,
    /// It counts for success.
    Ok,
    /// It counts for success, and if nothing has failed the stack ends.
    Done,
    /// It counts for failure.
    Bad,
    /// It counts for failure, and the stack ends.
    Die,
    /// What has been counted in this stack is forgotten.
    Reset,
    /// So many steps are left out.
    Jump(u32),
}

/// In the order that libpam compares them in.
const ACTIONS: [(&str, Action); 6] = [
    ("ignore", Action::Ignore),
    ("ok", Action::Ok),
    ("done", Action::Done),
    ("bad", Action::Bad),
    ("die", Action::Die),
    ("reset", Action::Reset),
];

/// How a line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// By one of the four words.
    Word(&'static str),
    /// Code by code.
    Codes,
    /// Not so that libpam could read it.
    Unreadable,
}

/// What a line makes of each code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    actions: [Action; NAMES.len()],
    /// How it was written.
    pub spelling: Spelling,
}

/// What the second word asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// To call a module.
    Call(Box<Control>),
    /// To put a file in this place.
    Include,
    /// To run a file as a stack of its own.
    Substack,
}

/// The words: success, `ignore`, everything else.
const WORDS: [(&str, Action, Action, Action); 4] = [
    ("required", Action::Ok, Action::Ignore, Action::Bad),
    ("requisite", Action::Ok, Action::Ignore, Action::Die),
    ("optional", Action::Ok, Action::Ignore, Action::Ignore),
    ("sufficient", Action::Done, Action::Ignore, Action::Ignore),
];

impl Control {
    /// Every code is bad.
    pub fn unreadable() -> Self {
        Control { actions: [Action::Bad; NAMES.len()], spelling: Spelling::Unreadable }
    }

    /// What happens at this code.
    pub fn action(&self, code: Code) -> Action {
        self.actions[usize::from(code.number())]
    }

    fn word(name: &'static str, success: Action, ignore: Action, default: Action) -> Self {
        let mut actions = [default; NAMES.len()];
        actions[usize::from(Code::SUCCESS.number())] = success;
        actions[usize::from(Code::NEW_AUTHTOK_REQD.number())] = success;
        actions[usize::from(Code::IGNORE.number())] = ignore;
        Control { actions, spelling: Spelling::Word(name) }
    }

    /// `code=action` after another; the brackets are gone.
    fn codes(text: &[u8]) -> Option<Self> {
        let mut actions = [None; NAMES.len()];
        let mut rest = skip_space(text);
        while !rest.is_empty() {
            let (code, after) = returned(rest)?;
            let after = skip_space(after).strip_prefix(b"=")?;
            let (action, after) = action(skip_space(after))?;
            match code {
                Some(code) => actions[code] = Some(action),
                // Only those that nothing was said of so far; a later one still overrides it.
                None => actions.iter_mut().for_each(|slot| *slot = slot.or(Some(action))),
            }
            rest = skip_space(after);
        }
        let actions = actions.map(|action| action.unwrap_or(Action::Bad));
        Some(Control { actions, spelling: Spelling::Codes })
    }
}

impl Directive {
    /// Reads the second word.
    pub fn read(token: &[u8]) -> Directive {
        if token.eq_ignore_ascii_case(b"include") {
            return Directive::Include;
        }
        if token.eq_ignore_ascii_case(b"substack") {
            return Directive::Substack;
        }
        let word = WORDS.iter().find(|(name, ..)| token.eq_ignore_ascii_case(name.as_bytes()));
        Directive::Call(Box::new(match word {
            Some((name, success, ignore, default)) => Control::word(name, *success, *ignore, *default),
            None => Control::codes(token).unwrap_or_else(Control::unreadable),
        }))
    }
}

/// A code's number, or none for `default`. libpam compares prefixes: what follows the name is read as the rest.
fn returned(text: &[u8]) -> Option<(Option<usize>, &[u8])> {
    let named = NAMES
        .iter()
        .enumerate()
        .find_map(|(number, name)| text.strip_prefix(name.as_bytes()).map(|rest| (Some(number), rest)));
    named.or_else(|| text.strip_prefix(b"default").map(|rest| (None, rest)))
}

fn action(text: &[u8]) -> Option<(Action, &[u8])> {
    let named =
        ACTIONS.iter().find_map(|(name, action)| Some((*action, text.strip_prefix(name.as_bytes())?)));
    named.or_else(|| {
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = text.split_at(digits);
        let steps: u32 = str::from_utf8(number).ok()?.parse().ok()?;
        // Zero is no jump.
        (steps != 0 && i32::try_from(steps).is_ok()).then_some((Action::Jump(steps), rest))
    })
}

/// isspace(3) in the C locale.
fn skip_space(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    &text[spaces..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(text: &str) -> Control {
        match Directive::read(text.as_bytes()) {
            Directive::Call(control) => *control,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_mean_what_the_manual_says_whatever_their_case() {
        assert_eq!(control("REQUIRED").action(Code::SUCCESS), Action::Ok);
        assert_eq!(control("requisite").action(Code::MODULE_UNKNOWN), Action::Die);
        assert_eq!(control("sufficient").action(Code::NEW_AUTHTOK_REQD), Action::Done);
        assert_eq!(control("optional").action(Code::AUTH_ERR), Action::Ignore);
        assert_eq!(Directive::read(b"SubStack"), Directive::Substack);
    }

    #[test]
    fn default_fills_what_is_open_and_is_overridden_later() {
        let control = control("default=ignore success=1 auth_err = die");
        assert_eq!(control.action(Code::SUCCESS), Action::Jump(1));
        assert_eq!(control.action(Code::AUTH_ERR), Action::Die);
        assert_eq!(control.action(Code::ABORT), Action::Ignore);
    }

    #[test]
    fn what_is_not_said_is_bad() {
        assert_eq!(control("success=ok").action(Code::IGNORE), Action::Bad);
        assert_eq!(control("").action(Code::SUCCESS), Action::Bad);
    }

    #[test]
    fn what_cannot_be_read_is_bad_altogether() {
        for text in
            ["requird", "success=okay", "success=0", "success", "success=", "success=99999999999", "=ok"]
        {
            assert_eq!(control(text), Control::unreadable(), "{text}");
        }
        assert_eq!(control("success=1default=ignore").action(Code::AUTH_ERR), Action::Ignore);
    }
}
