//! Hooks that start what a person has to answer, and judge the answer too: mfad never knows the code.

use std::fs;

use mfad_tests::daemon::Settings;
use mfad_tests::host::{FirstFactor, Host, path};
use mfad_tests::on_a_host;
use mfad_tests::race::{PAM_SUCCESS, Race};
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, expect_outside, give_password};
use mfad_tests::sshd::Methods;
use mfad_tests::terminal::Terminal;
use serde_json::Value;

/// How long the program remembers a code that was typed.
enum Memory {
    /// Each is good once.
    Short,
    /// Each is good for ever: then mfad alone stands between a code and its second use.
    Endless,
}

/// A telephone that is called: `send` makes a code up and leaves it with the telephone, `check` looks there.
fn telephone(host: &Host, memory: Memory) -> String {
    let (code, asked) = (path("telephone.code"), path("telephone.asked"));
    let forget = match memory {
        Memory::Short => format!("rm {}", code.display()),
        Memory::Endless => ":".to_owned(),
    };
    let send = format!(
        "#!/bin/sh\ncat >>{asked}\ntr -dc 0-9 </dev/urandom | head -c 8 >{code}\n",
        asked = asked.display(),
        code = code.display()
    );
    let check = format!(
        "#!/bin/sh\ntyped=$(jq -r .code)\n[ -s {code} ] && [ \"$typed\" = \"$(cat {code})\" ] || exit 1\n{forget}\n",
        code = code.display()
    );
    host.write(path("telephone-send"), &send, 0o755);
    host.write(path("telephone-check"), &check, 0o755);
    format!(
        "[[hook]]\nname = \"call\"\nsend = [\"{}\"]\ncheck = [\"{}\"]\n",
        path("telephone-send").display(),
        path("telephone-check").display()
    )
}

/// What the telephone told.
fn told() -> String {
    fs::read_to_string(path("telephone.code")).expect("a call")
}

/// Anna, who is called.
fn called(host: &Host, memory: Memory) -> Site {
    let hook = telephone(host, memory);
    let site = Site::with(host, Methods::KeyboardInteractive, |settings: Settings| {
        settings.login("factors = [\"call\"]").sections(&hook)
    });
    let enrol = ["enrol", "call", "+441234567", "--user", "anna"];
    site.mfad.control(&enrol).expect_success("mfactl enrol");
    site
}

fn asked(site: &Site) -> Terminal {
    let mut terminal = site.sshd.connect_with(&site.anna, &["-o", "NumberOfPasswordPrompts=1"]);
    give_password(&mut terminal);
    terminal.expect(CODE_PROMPT);
    terminal
}

/// To break it: let `judge_outside` not look at hooks that also send.
#[test]
fn a_hook_that_sends_and_checks_lets_in_by_its_own_code_once() {
    on_a_host(|host| {
        let site = called(host, Memory::Short);
        let mut terminal = asked(&site);
        let code = told();
        let call = fs::read_to_string(path("telephone.asked")).expect("what the program was told");
        let call: Value = serde_json::from_str(&call).expect("one JSON object, once");
        assert_eq!((&call["user"], &call["code"]), (&"anna".into(), &Value::Null), "it makes its own code");
        assert_eq!(call["contact"], "+441234567");
        terminal.type_line("00000000");
        terminal.expect("Wrong code, 2 tries left.");
        terminal.type_line(&code);
        expect_inside(&mut terminal, &site.anna);

        let mut terminal = asked(&site);
        assert_ne!(told(), code, "each login is called anew");
        terminal.type_line(&code);
        terminal.expect("Wrong code, 2 tries left.");
        terminal.type_line(&told());
        expect_inside(&mut terminal, &site.anna);
        assert_eq!(site.mfad.events_about(&site.anna, &["code-wrong"]).len(), 2);
        assert_eq!(site.mfad.events_about(&site.anna, &["login-allowed"]).len(), 2);
        assert_eq!(site.mail.codes(), 0);
    });
}

#[test]
fn guesses_at_a_hook_that_sends_and_checks_are_bounded_and_its_program_is_asked_no_more() {
    on_a_host(|host| {
        let site = called(host, Memory::Short);
        let mut terminal = asked(&site);
        for _ in 0..2 {
            terminal.type_line("00000000");
            terminal.expect(CODE_PROMPT);
        }
        terminal.type_line("00000000");
        expect_outside(&mut terminal);
        let mut terminal = site.sshd.connect_with(&site.anna, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut terminal);
        expect_outside(&mut terminal);
        assert_eq!(site.mfad.events_about(&site.anna, &["code-wrong"]).len(), 3);
        assert!(site.mfad.events_about(&site.anna, &["login-allowed"]).is_empty());
    });
}

/// The program accepts the same answer again and again; mfad does not. To break it (I3): let `is_live` answer true.
#[test]
fn an_answer_that_a_careless_program_accepts_sixteen_times_lets_in_once() {
    on_a_host(|host| {
        let site = called(host, Memory::Endless);
        host.stack("sshd", FirstFactor::Password);
        let mut race = Race::begin(host, &site.anna, 16);
        let prompts = race.await_prompts();
        assert!(prompts > 1, "{prompts} were asked");
        race.answer(&[told()]);
        let outcomes = race.outcomes();
        let inside = outcomes.iter().filter(|outcome| outcome.code == PAM_SUCCESS).count();
        assert_eq!(inside, 1, "{outcomes:?}");
        assert_eq!(site.mfad.events_about(&site.anna, &["login-allowed"]).len(), 1);
    });
}
