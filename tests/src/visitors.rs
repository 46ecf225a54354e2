//! People before an [`Installed`] host, and whether they get in.

use crate::host::PASSWORD;
use crate::installed::{Installed, terminal};

/// What a client meets. The second question is that of pam_oath.
const PROMPTS: [&str; 6] =
    ["assword: ", "code: ", "password (OATH) for", "inside", "ermission denied", "closed by"];

/// Whether somebody gets in over SSH who has this password, and this to say to a question for a code.
///
/// # Panics
/// If a program does something else altogether.
pub fn gets_in(person: &str, code: Option<&str>) -> bool {
    questions_to(person, &mut || code.unwrap_or("000000").to_owned()).is_some()
}

/// Whether somebody does who is asked for one code, and no more.
///
/// # Panics
/// If a program does something else altogether.
pub fn gets_in_by_one_code(person: &str, code: &str) -> bool {
    questions_to(person, &mut || code.to_owned()) == Some(1)
}

/// Whether Ada does with the code that is mailed to her then.
///
/// # Panics
/// If a program does something else altogether.
pub fn gets_in_by_mail(house: &Installed<'_>) -> bool {
    let next = house.mail.codes() + 1;
    questions_to("ada", &mut || house.mail.await_code(next)) == Some(1)
}

/// How many codes somebody was asked for on the way in; none if they stay outside.
fn questions_to(person: &str, code: &mut dyn FnMut() -> String) -> Option<usize> {
    let mut client = terminal(person, &format!("ssh -o NumberOfPasswordPrompts=1 {person}@host echo inside"));
    let mut asked = 0;
    loop {
        match client.expect_one_of(&PROMPTS).0 {
            0 => client.type_line(PASSWORD),
            1 | 2 => {
                asked += 1;
                client.type_line(&code());
            }
            3 => return Some(asked),
            _ => return None,
        }
    }
}

/// Whether somebody gets in at the console, where nobody asks for a code.
///
/// # Panics
/// If a program does something else altogether.
pub fn gets_in_at_the_console(person: &str) -> bool {
    let mut console = terminal("root", &format!("login {person}"));
    console.expect("assword: ");
    console.type_line(PASSWORD);
    console.expect_one_of(&["$ ", "ncorrect"]).0 == 0
}

/// The key that somebody types into an app, off the terminal.
///
/// # Panics
/// If a program does something else altogether.
pub fn key_of(shown: &str) -> String {
    let mut lines = shown.lines().filter_map(|line| line.strip_prefix("key "));
    let key = lines.next_back().unwrap_or_else(|| panic!("there is no key:\n{shown}"));
    key.chars().filter(char::is_ascii_alphanumeric).collect()
}
