//! The two hooks of the guide, as mfad would run them: against an HTTP gateway and a real FreeRADIUS.

use std::fs;
use std::io::Write;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mfad_tests::binaries;
use mfad_tests::host::{Host, free_port, path};
use mfad_tests::mail::PYTHON;
use mfad_tests::on_a_host;
use mfad_tests::process::{Family, Finished, Running};
use mfad_tests::radius::{FreeRadius, SHARED_SECRET};
use mfad_tests::wait::until;
use serde_json::{Value, json};

const CODE: &str = "4829";

fn example(name: &str) -> PathBuf {
    binaries::source("../docs/guide/examples").join(name)
}

fn request(contact: &Value, code: &Value) -> Value {
    json!({
        "user": "ada", "contact": contact, "code": code, "host": "login.example.org",
        "service": "sshd", "source": "192.0.2.7", "language": "en",
    })
}

/// Starts a hook with the environment that mfad gives it, and its whole input.
fn start(hook: &str, arguments: &[&str], request: &Value) -> Child {
    let mut child = Command::new(example(hook))
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the hook");
    let input = child.stdin.take().expect("its input").write_all(format!("{request}\n").as_bytes());
    // A hook that ends before it reads is judged by its exit code.
    drop(input);
    child
}

fn end(child: Child) -> Finished {
    let output = child.wait_with_output().expect("the end of the hook");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("an exit code");
    Finished { out: text(&output.stdout), err: text(&output.stderr), code }
}

fn run(hook: &str, arguments: &[&str], request: &Value) -> Finished {
    end(start(hook, arguments, request))
}

struct Gateway {
    running: Running,
    settings: String,
}

impl Gateway {
    fn start(host: &Host, status: u16, delay: &str) -> Self {
        let (port, status) = (free_port().to_string(), status.to_string());
        let script = binaries::source("servers/gateway.py").display().to_string();
        let mut running = Running::start("gateway", Family::Alone, PYTHON, &[&script, &port, &status, delay]);
        running.await_output(&format!("{port}\n"));
        let settings = path(&format!("gateway-{port}"));
        let text = format!(
            "url = \"http://127.0.0.1:{port}/v1/messages\"\nheader = \"Authorization: Bearer s3cret\"\n"
        );
        host.write(&settings, &text, 0o400);
        Gateway { running, settings: settings.display().to_string() }
    }

    fn taken(&self) -> Vec<Value> {
        self.running.log().lines().skip(1).filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

#[test]
fn the_sms_hook_gives_the_gateway_a_number_and_a_code_of_four_digits() {
    on_a_host(|host| {
        let gateway = Gateway::start(host, 202, "0");
        let ended = run("sms-hook", &[&gateway.settings], &request(&json!("+44 20 7946 0000"), &json!(CODE)));
        assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, "", ""));
        let taken = gateway.taken();
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0]["path"], "/v1/messages");
        assert_eq!(taken[0]["authorization"], "Bearer s3cret");
        assert_eq!(taken[0]["type"], "application/json");
        let body: Value = serde_json::from_str(taken[0]["body"].as_str().expect("a body")).expect("JSON");
        let expected = json!({ "to": "+442079460000", "text": "4829 is your code for login.example.org." });
        assert_eq!(body, expected);
    });
}

#[test]
fn the_sms_hook_tells_what_may_pass_from_what_will_not() {
    on_a_host(|host| {
        let sms = request(&json!("+44 20 7946 0000"), &json!(CODE));
        for (status, code) in [(200, 0), (503, 75), (429, 75), (400, 69), (401, 69), (302, 69)] {
            let gateway = Gateway::start(host, status, "0");
            let ended = run("sms-hook", &[&gateway.settings], &sms);
            assert_eq!(ended.code, code, "{status}: {}", ended.err);
            assert!(!ended.err.contains(CODE) && !ended.err.contains("s3cret"), "{}", ended.err);
        }
        let nobody = path("nobody");
        host.write(&nobody, &format!("url = \"http://127.0.0.1:{}/\"\n", free_port()), 0o400);
        assert_eq!(run("sms-hook", &[&nobody.display().to_string()], &sms).code, 75);
        assert_eq!(run("sms-hook", &["/no/such/file"], &sms).code, 78);
        assert_eq!(run("sms-hook", &[], &sms).code, 64);
    });
}

#[test]
fn the_sms_hook_sends_nothing_to_what_is_no_number() {
    on_a_host(|host| {
        let gateway = Gateway::start(host, 200, "0");
        for contact in
            [json!(null), json!(""), json!("ada@example.org"), json!("12345\n67890"), json!(123_456)]
        {
            let ended = run("sms-hook", &[&gateway.settings], &request(&contact, &json!(CODE)));
            assert_eq!(ended.code, 65, "{contact}");
        }
        assert_eq!(run("sms-hook", &[&gateway.settings], &request(&json!("123456"), &json!(null))).code, 65);
        assert_eq!(gateway.taken(), Vec::<Value>::new());
    });
}

/// To break it on purpose: give the body to curl by `--data "$body"`.
#[test]
fn neither_the_code_nor_the_key_of_the_gateway_is_in_anybodys_arguments_or_environment() {
    on_a_host(|host| {
        let gateway = Gateway::start(host, 200, "1.5");
        let code = "7013948265";
        let hook =
            start("sms-hook", &[&gateway.settings], &request(&json!("+44 20 7946 0000"), &json!(code)));
        until("the message at the gateway", || gateway.taken().pop());
        let seen: Vec<String> = processes().iter().flat_map(|process| shown(process)).collect();
        assert!(seen.iter().any(|text| text.contains("curl")), "curl runs while the gateway thinks");
        for secret in [code, "s3cret"] {
            assert!(!seen.iter().any(|text| text.contains(secret)), "{secret}");
        }
        assert_eq!(end(hook).code, 0);
    });
}

fn processes() -> Vec<PathBuf> {
    fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path()).collect()
}

fn shown(process: &Path) -> Vec<String> {
    ["cmdline", "environ"]
        .iter()
        .filter_map(|name| fs::read(process.join(name)).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

fn secret_file(host: &Host, secret: &str) -> String {
    let file = path(&format!("radius-{secret}"));
    host.write(&file, &format!("{secret}\n"), 0o400);
    file.display().to_string()
}

#[test]
fn the_radius_hook_accepts_what_the_server_accepts_and_rejects_what_it_rejects() {
    on_a_host(|host| {
        let server = FreeRadius::start(host, "ada", CODE);
        let secret = secret_file(host, SHARED_SECRET);
        let arguments = [&*server.address(), &*secret];
        for (code, exit) in [
            (json!(CODE), 0),
            (json!("4828"), 1),
            (json!("482"), 1),
            // What is no code is not even asked for.
            (json!(""), 1),
            (json!(null), 1),
            (json!("4829\n"), 1),
            (json!("x\n4829"), 1),
            (json!("4829\"\nUser-Name = \"ada"), 1),
            (json!("%{User-Name}"), 1),
            (json!("\\"), 1),
        ] {
            let ended = run("radius-hook", &arguments, &request(&json!(null), &code));
            assert_eq!(ended.code, exit, "{code}: {}", ended.err);
            assert!(!ended.err.contains(CODE) && ended.out.is_empty(), "{}{}", ended.out, ended.err);
        }
        let mut stranger = request(&json!(null), &json!(CODE));
        stranger["user"] = json!("eve");
        assert_eq!(run("radius-hook", &arguments, &stranger).code, 1);
        stranger["user"] = json!("ada\"\nUser-Name = \"eve");
        assert_eq!(run("radius-hook", &arguments, &stranger).code, 65);
    });
}

#[test]
fn a_radius_server_that_is_silent_or_has_another_secret_accepts_nobody() {
    on_a_host(|host| {
        let server = FreeRadius::start(host, "ada", CODE);
        let right = request(&json!(null), &json!(CODE));
        let other = secret_file(host, "another-secret");
        assert_eq!(run("radius-hook", &[&server.address(), &other], &right).code, 75);
        let silent = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let address = silent.local_addr().expect("its address").to_string();
        let secret = secret_file(host, SHARED_SECRET);
        let ended = run("radius-hook", &[&address, &secret], &right);
        assert_eq!(ended.code, 75);
        assert!(ended.err.contains("gave no valid answer"), "{}", ended.err);
        assert_eq!(run("radius-hook", &[&address, "/no/such/file"], &right).code, 78);
    });
}
