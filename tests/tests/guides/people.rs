//! People who follow a guide, and whether they get in.

use mfad_tests::host::PASSWORD;
use mfad_tests::installed::{Installed, terminal};

/// What a client meets. The second question is that of pam_oath.
const PROMPTS: [&str; 6] =
    ["assword: ", "code: ", "password (OATH) for", "inside", "ermission denied", "closed by"];

/// Whether somebody gets in over SSH who has this password, and this to say to a question for a code.
pub(crate) fn gets_in(person: &str, code: Option<&str>) -> bool {
    gets_in_with(person, &mut || code.unwrap_or("000000").to_owned())
}

/// Whether Ada does with the code that is mailed to her then.
pub(crate) fn gets_in_by_mail(house: &Installed<'_>) -> bool {
    let next = house.mail.codes() + 1;
    gets_in_with("ada", &mut || house.mail.await_code(next))
}

pub(crate) fn gets_in_at_the_console(person: &str) -> bool {
    let mut console = terminal("root", &format!("login {person}"));
    console.expect("assword: ");
    console.type_line(PASSWORD);
    console.expect_one_of(&["$ ", "ncorrect"]).0 == 0
}

pub(crate) fn gets_in_with(person: &str, code: &mut dyn FnMut() -> String) -> bool {
    let mut client = terminal(person, &format!("ssh -o NumberOfPasswordPrompts=1 {person}@host echo inside"));
    loop {
        match client.expect_one_of(&PROMPTS).0 {
            0 => client.type_line(PASSWORD),
            1 | 2 => client.type_line(&code()),
            3 => return true,
            _ => return false,
        }
    }
}

/// The key that somebody types into an app, off the terminal.
pub(crate) fn key_of(shown: &str) -> String {
    let lines = shown.lines().filter_map(|line| line.strip_prefix("key "));
    let key = lines.last().unwrap_or_else(|| panic!("there is no key:\n{shown}"));
    key.chars().filter(char::is_ascii_alphanumeric).collect()
}
