//! Stacks that nobody would write, and what both make of them: the status, which modules are called, in which order, and
//! with which arguments.
//!
//! To see it fail: let `Run::jump` in dispatch.rs count steps of a substack one by one, or `Action::Reset` do nothing.

use mfactl::doctor::pam::Broken;
use mfactl::doctor::pam::code::NAMES;
use proptest::prelude::*;

use crate::libpam::{Answers, Bench};
use crate::predicted;

/// How many, from fixed seeds.
const STACKS: u64 = 3000;

/// Seeds of stacks that were once read otherwise than libpam reads them.
const ONCE_DIFFERENT: [u64; 1] = [15_890_544_298_260_765_937];

/// xorshift64*: the same stacks on every machine.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let mixed = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D);
        usize::try_from(mixed >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.next(from.len())]
    }
}

const ACTIONS: [&str; 10] = ["ignore", "ok", "done", "bad", "die", "reset", "1", "2", "3", "7"];

const CONTROLS: [&str; 20] = [
    "required",
    "required",
    "requisite",
    "sufficient",
    "sufficient",
    "optional",
    "REQUIRED",
    "[sufficient]",
    "[success=1 default=ignore]",
    "[success=2 default=ignore]",
    "[success=ok new_authtok_reqd=ok ignore=ignore default=die]",
    "[success=done new_authtok_reqd=done default=ignore]",
    "[default=reset]",
    "[ success = ok\tdefault = bad ]",
    "[success=1default=ignore]",
    "[success=okay]",
    "[success=0]",
    "[]",
    "requird",
    "success=ok",
];

fn control(dice: &mut Dice) -> String {
    if dice.next(3) > 0 {
        return dice.pick(&CONTROLS).to_owned();
    }
    let mut pairs = Vec::new();
    for _ in 0..=dice.next(4) {
        let code = if dice.next(3) == 0 { "default" } else { dice.pick(&NAMES) };
        let code = if dice.next(3) == 0 { "success" } else { code };
        pairs.push(format!("{code}={}", dice.pick(&ACTIONS)));
    }
    format!("[{}]", pairs.join(" "))
}

fn line(dice: &mut Dice, deeper: &[&str]) -> String {
    let kind = dice.pick(&[
        "auth", "auth", "auth", "auth", "auth", "auth", "-auth", "AUTH", "account", "atuh", "[auth]",
    ]);
    let inclusion = dice.next(6);
    if let (0, false) = (inclusion, deeper.is_empty()) {
        let name = deeper[dice.next(deeper.len())];
        return match dice.next(8) {
            0..3 => format!("{kind} include {{{name}}}"),
            3..6 => format!("{kind} substack {{{name}}}"),
            6 => format!("@include {{{name}}}"),
            _ => format!("{kind} {} /nonexistent/{name}", dice.pick(&["include", "substack"])),
        };
    }
    let module = dice.pick(&["pam_unix.so", "pam_unix.so", "pam_unix.so", "pam_unix.so", "pam_missing.so"]);
    let arguments = dice.pick(&["", "", " a b", " [x  y] z", r" [a\]b]c", " x[1] y=2", " [", " [] d"]);
    let end = dice.pick(&["", "", "", "  ", " # end", "\t#", " \\\n  more", " \\\n \\\n# no\nmore", "\r"]);
    let rest = match dice.next(40) {
        0 => String::new(),
        1 => control(dice),
        _ => format!("{} {module}{arguments}{end}", control(dice)),
    };
    format!("{kind} {rest}")
}

fn file(dice: &mut Dice, deeper: &[&str], longest: usize) -> String {
    let mut text = String::new();
    for _ in 0..=dice.next(longest) {
        text.push_str(dice.pick(&["", "", "", "", "\n", "# comment \\\n", "   \t\n"]));
        text.push_str(&line(dice, deeper));
        text.push('\n');
    }
    if dice.next(100) == 0 {
        text.push_str("auth required \\\n");
    }
    text
}

struct Made {
    files: Vec<(&'static str, String)>,
    answers: Answers,
    later: Answers,
}

fn made(seed: u64) -> Made {
    let dice = &mut Dice::new(seed);
    let mut files = vec![("a", file(dice, &["b", "c", "d"], 7)), ("b", file(dice, &["c", "d"], 4))];
    files.extend([("c", file(dice, &["d"], 3)), ("d", file(dice, &[], 3))]);
    if dice.next(4) == 0 {
        files.push(("other", file(dice, &["d"], 3)));
    }
    let mut answers = Answers::new();
    let mut later = Answers::new();
    for number in 1..64 {
        let code = |dice: &mut Dice| match dice.next(10) {
            0..5 => 0,
            5 => 25,
            6 | 7 => 7,
            _ => i32::try_from(dice.next(31)).unwrap(),
        };
        answers.insert(number, code(dice));
        later.insert(number, code(dice));
        match dice.next(200) {
            0 => drop(answers.insert(number, 31)),
            1 => drop(answers.insert(number, 77)),
            _ => {}
        }
    }
    Made { files, answers, later }
}

/// What libpam and the doctor make of one; the first difference.
fn compare(bench: &Bench, made: &Made) -> Result<i32, String> {
    let files: Vec<(&str, &str)> = made.files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let written = bench.write(&files);
    let (real, real_later) = bench.both(&written, "a", &made.answers, &made.later);
    let is_refused = real.status != 0 && real.called.is_empty();
    let stack = match bench.library(&written).service("a") {
        Ok(stack) => stack,
        // The doctor says that nobody can tell: there is nothing to compare.
        Err(Broken::Undefined(_)) => return Ok(real.status),
        Err(_) if is_refused => return Ok(real.status),
        Err(_) => return Err(format!("libpam takes it: {real:?}\n{files:#?}")),
    };
    let (ours, ours_later) = predicted::both(&stack, &made.answers, &made.later, bench.dialect());
    if ours != real {
        return Err(format!("pam_authenticate: ours {ours:?}\nreal {real:?}\n{files:#?}"));
    }
    let is_stopped = real.status == 31;
    if !is_stopped && ours_later != real_later {
        return Err(format!("pam_setcred: ours {ours_later:?}\nreal {real_later:?}\n{files:#?}"));
    }
    Ok(real.status)
}

#[test]
fn thousands_of_made_up_stacks_run_as_in_libpam() {
    let bench = Bench::new();
    let mut opened = 0;
    for seed in ONCE_DIFFERENT.into_iter().chain(0..STACKS) {
        let made = made(seed);
        let status = compare(&bench, &made).unwrap_or_else(|difference| panic!("seed {seed}: {difference}"));
        opened += u32::from(status == 0);
    }
    // Most of them refuse; those that open are the ones that matter.
    assert!(opened > 100, "only {opened} opened");
}

#[test]
fn stacks_of_any_seed_run_as_in_libpam() {
    let bench = Bench::new();
    proptest!(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() }, |(seed: u64)| {
        prop_assert!(compare(&bench, &made(seed)).is_ok(), "{:?}", compare(&bench, &made(seed)));
    });
}
