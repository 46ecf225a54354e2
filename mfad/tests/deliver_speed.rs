//! Measurements, not checks:
//! `cargo test --release -p mfad --test deliver_speed -- --ignored --nocapture --test-threads=1`.
#![allow(clippy::print_stdout)]

mod deliver_support;

use std::time::{Duration, Instant};

use deliver_support::{Certificates, Fake, PATIENT, Server, courier, deliver, mail_to, relay};
use mfad::address::EmailAddress;
use mfad::config::{Relay, Security};
use mfad::deliver::maildir::MaildirCourier;
use mfad::deliver::message::{Letter, Sender, render};
use mfad::deliver::{Body, Courier, Template};
use protocol::Secret;

#[test]
#[ignore = "a measurement"]
fn how_long_rendering_takes() {
    let template = Body::default();
    let subject = Template::line("Your login code for $HOST").unwrap();
    let to = EmailAddress::parse("ada@example.org").unwrap();
    let code = Secret::new("123456".into());
    let from = Sender::parse("mfad <mfad@web1>", "web1").unwrap();
    let time = "2026-11-05T10:00:00Z".parse().unwrap();
    let (user, host, service, source) = ("ada", "web1", "sshd", "192.0.2.7");
    let letter = Letter { to: &to, code: &code, user, host, service, source, time, expires: time };
    let mut samples: Vec<Duration> = Vec::new();
    for _ in 0..20_000 {
        let start = Instant::now();
        std::hint::black_box(render(&template, &subject, &from, &letter).unwrap());
        samples.push(start.elapsed());
    }
    report("render", samples);
}

#[tokio::test]
#[ignore = "a measurement"]
async fn how_long_a_maildir_takes() {
    let directory = std::path::PathBuf::from(format!("/dev/shm/mfad-speed-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    let courier = MaildirCourier::new(format!("{}/$USER", directory.display()), "web1");
    let samples = samples(&courier, 5_000).await;
    std::fs::remove_dir_all(directory).unwrap();
    report("maildir on tmpfs", samples);
}

#[tokio::test]
#[ignore = "a measurement"]
async fn how_long_a_pooled_delivery_takes() {
    let fake = Fake::start(&[]);
    let plain = courier(vec![relay(fake.port, Security::Plain)], PATIENT);
    report("smtp, open connection, minimal relay", samples(&plain, 2_000).await);
    let certificates = Certificates::new();
    certificates.sign("server", "localhost", 2);
    let files = certificates.arguments("server");
    for (mode, encryption) in
        [("none", Security::Plain), ("starttls", Security::StartTls), ("implicit", Security::ImplicitTls)]
    {
        let mut arguments = vec!["--tls", mode];
        arguments.extend(files.iter().map(String::as_str));
        let server = Server::start(&arguments);
        let settings = Relay { ca_file: Some(certificates.ca()), ..relay(server.port, encryption) };
        let courier = courier(vec![settings], PATIENT);
        report(&format!("smtp, open connection, aiosmtpd, tls {mode}"), samples(&courier, 300).await);
    }
}

async fn samples(courier: &dyn Courier, rounds: u32) -> Vec<Duration> {
    let message = mail_to("ada@example.org");
    let mut samples = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        deliver(courier, &message).await.0.unwrap();
        samples.push(start.elapsed());
    }
    samples
}

fn report(what: &str, mut samples: Vec<Duration>) {
    samples.sort_unstable();
    let at = |percent: usize| samples[samples.len() * percent / 100];
    println!("{what}: p50 {:?}, p99 {:?}", at(50), at(99));
}
