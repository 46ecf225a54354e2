//! What the delivery tests share: relays that are real, relays that misbehave, certificates, a directory that goes away.
#![allow(dead_code, missing_docs)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mfad::address::EmailAddress;
use mfad::config::{Relay, Security};
use mfad::deliver::message::{self, Letter, Message, Sender};
use mfad::deliver::smtp::SmtpCourier;
use mfad::deliver::{Body, Courier, DeliveryError, Receipt, Template};
use protocol::Secret;
use serde_json::Value;

pub(crate) const CODE: &str = "493817";

/// A login mail for `to` with [`CODE`] in it.
pub(crate) fn mail_to(to: &str) -> Message {
    let to = EmailAddress::parse(to).unwrap();
    let code = Secret::new(CODE.into());
    let time = "2026-11-05T10:00:00Z".parse().unwrap();
    let letter = Letter {
        to: &to,
        code: &code,
        user: "ada",
        host: "web1",
        service: "sshd",
        source: "192.0.2.7",
        time,
        expires: time,
    };
    let from = Sender::parse("mfad <mfad@$HOST>", "web1.example.org").unwrap();
    let subject = Template::line("Your login code for $HOST").unwrap();
    message::render(&Body::default(), &subject, &from, &letter).unwrap()
}

pub(crate) fn relay(port: u16, security: Security) -> Relay {
    Relay { host: "localhost".into(), port, security, login: None, ca_file: None }
}

pub(crate) fn courier(relays: Vec<Relay>, deadline: Duration) -> SmtpCourier {
    SmtpCourier::new(relays, "web1.example.org".into(), deadline)
}

/// Long enough that only a bug reaches it.
pub(crate) const PATIENT: Duration = Duration::from_secs(30);

/// Delivers, and returns what was said on the way.
pub(crate) async fn deliver(
    courier: &dyn Courier,
    message: &Message,
) -> (Result<Receipt, DeliveryError>, Vec<String>) {
    let said = Mutex::new(Vec::new());
    let progress = |step: &str| said.lock().unwrap().push(step.to_owned());
    let result = courier.deliver(message, &progress).await;
    (result, said.into_inner().unwrap())
}

/// A running tests/servers/smtp.py.
pub(crate) struct Server {
    pub(crate) port: u16,
    mails: Receiver<Value>,
    process: Child,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Server::start_on(0, arguments)
    }

    pub(crate) fn start_on(port: u16, arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/servers/smtp.py");
        let mut process = Command::new("/usr/bin/python3")
            .arg(script)
            .args(["--port", &port.to_string()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next().expect("is python3-aiosmtpd installed?").unwrap().parse().unwrap();
        let (sender, mails) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        Server { port, mails, process }
    }

    /// The next mail it took.
    pub(crate) fn mail(&self) -> Value {
        self.mails.recv_timeout(PATIENT).expect("a mail")
    }

    /// All further mails it took until it is stopped here.
    pub(crate) fn stop(mut self) -> Vec<Value> {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
        std::iter::from_fn(|| self.mails.recv_timeout(Duration::from_secs(1)).ok()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A relay that does what it is told: each line that begins with a word of the script is answered by it.
pub(crate) struct Fake {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    connections: Arc<AtomicU32>,
}

/// Ends the connection.
pub(crate) const DROP: &str = "<drop>";
/// Never answers.
pub(crate) const HANG: &str = "<hang>";
/// Answers one line without an end.
pub(crate) const ENDLESS_LINE: &str = "<line>";
/// Answers lines without an end.
pub(crate) const ENDLESS_LINES: &str = "<lines>";

impl Fake {
    /// `script` pairs a word with its answer; `HELLO` is the connection itself, `.` the end of the message.
    pub(crate) fn start(script: &'static [(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heard, connections) = (Arc::default(), Arc::default());
        let fake = Fake { port, heard: Arc::clone(&heard), connections: Arc::clone(&connections) };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                let heard = Arc::clone(&heard);
                std::thread::spawn(move || talk(&stream, script, &heard));
            }
        });
        fake
    }

    /// All that clients sent.
    pub(crate) fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }

    pub(crate) fn connections(&self) -> u32 {
        self.connections.load(Ordering::SeqCst)
    }
}

fn talk(stream: &TcpStream, script: &[(&str, &str)], heard: &Mutex<Vec<u8>>) -> Option<()> {
    let find =
        |word: &str| script.iter().find(|(begin, _)| word.starts_with(begin)).map(|(_, answer)| *answer);
    say(stream, find("HELLO").unwrap_or("220 fake"))?;
    let mut lines = BufReader::new(stream);
    let mut in_message = false;
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        heard.lock().unwrap().extend_from_slice(&line);
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if in_message && text != "." {
            continue;
        }
        in_message = text == "DATA" && find("DATA").is_none_or(|answer| answer.starts_with("354"));
        let default = if in_message { "354 go on" } else { "250 OK" };
        say(stream, find(&text).unwrap_or(default))?;
    }
}

fn say(mut stream: &TcpStream, answer: &str) -> Option<()> {
    match answer {
        DROP => {
            let _ = stream.shutdown(Shutdown::Both);
            None
        }
        HANG => stream.read_to_end(&mut Vec::new()).ok().and(None),
        ENDLESS_LINE => loop {
            stream.write_all(&[b'x'; 4096]).ok()?;
        },
        ENDLESS_LINES => loop {
            stream.write_all(b"250-more\r\n").ok()?;
        },
        answer => stream.write_all(format!("{answer}\r\n").as_bytes()).ok(),
    }
}

/// A directory that goes away with its value.
pub(crate) struct Place(pub(crate) PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let name = format!("mfad-deliver-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Place(path)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A CA, and certificates it signed, made by openssl: `ca.pem`, and `NAME.pem` with `NAME.key`.
pub(crate) struct Certificates {
    pub(crate) place: Place,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let certificates = Certificates { place: Place::new() };
        certificates.self_signed("ca", "mfad test CA", "CA:TRUE");
        certificates
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.place.0.join("ca.pem")
    }

    /// The arguments that make a server use `name`.
    pub(crate) fn arguments(&self, name: &str) -> [String; 4] {
        let file = |ending: &str| self.place.file(&format!("{name}.{ending}"));
        ["--cert".into(), file("pem"), "--key".into(), file("key")]
    }

    /// Makes a certificate that vouches for itself; `kind` is its basic constraint.
    pub(crate) fn self_signed(&self, name: &str, host: &str, kind: &str) {
        let constraint = format!("basicConstraints=critical,{kind}");
        let more = [
            "-subj",
            &format!("/CN={host}"),
            "-addext",
            &constraint,
            "-addext",
            "subjectAltName=DNS:localhost",
        ];
        let words = format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout {name}.key -out {name}.pem"
        );
        self.openssl(&words, &more);
    }

    /// Signs a certificate for `host` that is valid for so many days; a negative number made it end in the past.
    pub(crate) fn sign(&self, name: &str, host: &str, days: i32) {
        std::fs::write(self.place.file(&format!("{name}.ext")), format!("subjectAltName=DNS:{host}\n"))
            .unwrap();
        self.openssl(
            &format!("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr"),
            &["-subj", &format!("/CN={host}")],
        );
        self.openssl(
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {days} -extfile {name}.ext -out {name}.pem"
            ),
            &[],
        );
    }

    fn openssl(&self, words: &str, more: &[&str]) {
        let output = Command::new("openssl")
            .args(words.split(' '))
            .args(more)
            .current_dir(&self.place.0)
            .output()
            .unwrap();
        assert!(output.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
