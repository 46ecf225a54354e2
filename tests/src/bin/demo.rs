//! `make demo`: a real login with a mailed code, on this machine, that changes nothing on it.
//!
//! Everything runs in a private view of the machine: its own sshd on its own port, keys, accounts and PAM services, a
//! real SMTP server, and mfad. With a terminal it stays up, so that you can log in yourself; Ctrl-C ends all of it.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "this program is there to show something")]

use std::io::{IsTerminal, stdin, stdout};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use mfad_tests::host::PASSWORD;
use mfad_tests::mail::Mail;
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, give_password};
use mfad_tests::{Host, on_a_host};
use nix::sys::signal::{SigSet, Signal};

fn main() {
    let interrupted = interruptions();
    on_a_host(move |host| {
        headline("A host of its own: mail server, mfad, sshd, and Anna, who has a second factor");
        let site = Site::on(host);
        println!("  mail server  127.0.0.1:{}", site.mail.port());
        println!("  sshd         127.0.0.1:{}, PAM: password, then pam_mfad.so", site.sshd.port());
        println!("  anna         password \"{PASSWORD}\", codes go to {}", site.anna.address());
        scripted_login(&site);
        headline("What mfad recorded: mfactl events");
        print!("{}", site.mfad.control(&["events"]).expect_success("mfactl events"));
        if stdin().is_terminal() {
            your_turn(host, &site, &interrupted);
        }
    });
    println!("\nEverything is gone again; nothing of this machine was changed.");
}

/// A login by the OpenSSH client, its terminal shown as it happens.
fn scripted_login(site: &Site) {
    headline("A login: ssh anna@127.0.0.1");
    let mut terminal = site.sshd.connect_before(Box::new(stdout()), &site.anna);
    give_password(&mut terminal);
    terminal.expect(CODE_PROMPT);
    let mail = site.mail.await_mail(1);
    terminal.type_line(&mail.code());
    expect_inside(&mut terminal, &site.anna);
    headline("The mail that brought the code");
    show(&mail);
}

fn your_turn(host: &Host, site: &Site, interrupted: &Receiver<()>) {
    let bert = host.person("bert");
    headline("Your turn, in another terminal (Ctrl-C here ends it all)");
    let options = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o PreferredAuthentications=keyboard-interactive";
    println!("  ssh -p {} {options} {}@127.0.0.1", site.sshd.port(), site.anna.name);
    println!("  The password is \"{PASSWORD}\"; the mail with the code is shown here.");
    println!("  {} has the same password and no second factor.", bert.name);
    let mut shown = 1;
    while interrupted.recv_timeout(Duration::from_millis(200)).is_err() {
        while site.mail.count() > shown {
            shown += 1;
            headline("A mail");
            show(&site.mail.await_mail(shown));
        }
    }
}

fn headline(text: &str) {
    println!("\n== {text} ==");
}

fn show(mail: &Mail) {
    println!("  From: {}\n  To: {}\n  Subject: {}\n", mail.from, mail.to, mail.subject);
    for line in mail.plain.lines() {
        println!("  {line}");
    }
}

/// Ctrl-C and SIGTERM end the demo in order. If it is killed, the kernel ends all that it started.
fn interruptions() -> Receiver<()> {
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
    signals.thread_block().expect("signals to wait for");
    let (sender, receiver) = channel();
    let scripted = !stdin().is_terminal();
    std::thread::spawn(move || {
        if signals.wait().is_ok() {
            if scripted {
                std::process::exit(130);
            }
            let _ = sender.send(());
        }
    });
    receiver
}
