//! The machine's sshd, on a port, keys and configuration of its own, and OpenSSH's client for it.

use std::fs;
use std::path::PathBuf;

use crate::host::{FirstFactor, Host, Person, free_port, path};
use crate::process::{Family, Running, run};
use crate::terminal::{Onlooker, Terminal};

/// What a login proves it is in by printing.
pub const INSIDE: &str = "inside as ";

/// How sshd lets people in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Methods {
    /// Password and code, both asked for by PAM.
    KeyboardInteractive,
    /// A key, then the code alone.
    KeyThenKeyboardInteractive,
    /// sshd answers every prompt with the password: nobody is asked.
    Password,
    /// Either, as the client wants; OpenSSH's wants to be asked.
    PasswordOrKeyboardInteractive,
}

/// A running sshd.
pub struct Sshd {
    running: Running,
    port: u16,
    methods: Methods,
}

impl Sshd {
    /// Starts it, and waits until it listens.
    ///
    /// # Panics
    /// If it does not.
    pub fn start(host: &Host, methods: Methods) -> Self {
        let port = free_port();
        let key = key_pair("host-key");
        host.write(path("sshd_config"), &configuration(port, methods), 0o600);
        let public = fs::read_to_string(key.with_extension("pub")).expect("the host's public key");
        host.write(path("known_hosts"), &format!("[127.0.0.1]:{port} {public}"), 0o600);
        if methods == Methods::KeyThenKeyboardInteractive {
            host.stack("sshd", FirstFactor::Elsewhere);
            let user_key = key_pair("user-key");
            fs::copy(user_key.with_extension("pub"), path("authorized_keys")).expect("the user's public key");
        }
        let config = path("sshd_config").display().to_string();
        let arguments = ["-D", "-e", "-f", &config];
        // OpenSSH before 9.8 takes its PAM service from the name it is started by: "sshd".
        let mut running = Running::start("sshd", Family::Whole, "/usr/sbin/sshd", &arguments);
        running.await_output("Server listening on");
        Sshd { running, port, methods }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it logged.
    pub fn log(&self) -> String {
        self.running.log()
    }

    /// OpenSSH's client at somebody's terminal, about to log in and say [`INSIDE`].
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn connect(&self, person: &Person) -> Terminal {
        self.connect_with(person, &[])
    }

    /// As [`Sshd::connect`], with options.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn connect_with(&self, person: &Person, options: &[&str]) -> Terminal {
        let command = self.command(&person.name, options);
        Terminal::start(&command.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// As [`Sshd::connect`], with somebody who looks on.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn connect_before(&self, onlooker: Onlooker, person: &Person) -> Terminal {
        let command = self.command(&person.name, &[]);
        Terminal::start_before(Some(onlooker), &command.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Makes another key of everybody's, which the server takes.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn add_key(&self, name: &str) {
        let public = self.public_key(name);
        let public = fs::read_to_string(public).expect("the new public key");
        let known = fs::read_to_string(path("authorized_keys")).expect("the keys so far");
        fs::write(path("authorized_keys"), known + &public).expect("the server's list of keys");
    }

    /// The file of a public key.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn public_key(&self, name: &str) -> String {
        key_pair(name).with_extension("pub").display().to_string()
    }

    /// As [`Sshd::connect`], with another key than the usual one.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn connect_by(&self, key: &str, person: &Person) -> Terminal {
        self.connect_by_with(key, person, &[])
    }

    /// As [`Sshd::connect_by`], with options.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn connect_by_with(&self, key: &str, person: &Person, options: &[&str]) -> Terminal {
        let usual = path("user-key").display().to_string();
        let other = path(key).display().to_string();
        let command =
            self.command(&person.name, options).into_iter().map(|word| word.replace(&usual, &other));
        Terminal::start(&command.collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// OpenSSH's sftp, which does what a file says and asks nobody.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn sftp_command(&self, name: &str, batch: &str) -> Vec<String> {
        fs::write(path("batch"), batch).expect("the batch");
        let ssh = self.command(name, &[]);
        let mut line = vec!["sftp".to_owned(), "-P".to_owned(), self.port.to_string()];
        line.extend(ssh.windows(2).filter(|pair| pair[0] == "-o").flatten().cloned());
        // A batch forbids keyboard-interactive unless that is said before.
        line.extend(["-o", "BatchMode=no", "-b"].map(str::to_owned));
        line.extend([path("batch").display().to_string(), format!("{name}@127.0.0.1")]);
        line
    }

    /// The client's command line.
    pub fn command(&self, name: &str, options: &[&str]) -> Vec<String> {
        let methods = match self.methods {
            Methods::KeyboardInteractive | Methods::PasswordOrKeyboardInteractive => "keyboard-interactive",
            Methods::KeyThenKeyboardInteractive => "publickey,keyboard-interactive",
            Methods::Password => "password",
        };
        let settings = [
            format!("UserKnownHostsFile={}", path("known_hosts").display()),
            "GlobalKnownHostsFile=/dev/null".to_owned(),
            "StrictHostKeyChecking=yes".to_owned(),
            "IdentitiesOnly=yes".to_owned(),
            format!("IdentityFile={}", path("user-key").display()),
            format!("PreferredAuthentications={methods}"),
        ];
        let mut line = vec![
            "ssh".to_owned(),
            "-F".to_owned(),
            "none".to_owned(),
            "-p".to_owned(),
            self.port.to_string(),
        ];
        line.extend(settings.into_iter().flat_map(|setting| ["-o".to_owned(), setting]));
        line.extend(options.iter().map(|option| (*option).to_owned()));
        line.extend([format!("{name}@127.0.0.1"), format!("echo {INSIDE}$(id -un)")]);
        line
    }
}

fn configuration(port: u16, methods: Methods) -> String {
    let (password, interactive, required) = match methods {
        Methods::KeyboardInteractive => ("no", "yes", "keyboard-interactive:pam"),
        Methods::KeyThenKeyboardInteractive => ("no", "yes", "publickey,keyboard-interactive:pam"),
        Methods::Password => ("yes", "no", "password"),
        Methods::PasswordOrKeyboardInteractive => ("yes", "yes", "password keyboard-interactive:pam"),
    };
    let mut text = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nPidFile none\nUsePAM yes\nUseDNS no\n\
         StrictModes no\nAuthorizedKeysFile {authorized}\nLoginGraceTime 300\nMaxStartups 200\nPrintMotd no\n\
         PrintLastLog no\nPermitRootLogin yes\nPasswordAuthentication {password}\n\
         KbdInteractiveAuthentication {interactive}\nAuthenticationMethods {required}\nLogLevel VERBOSE\nSubsystem sftp internal-sftp\n",
        host_key = path("host-key").display(),
        authorized = path("authorized_keys").display(),
    );
    text.push_str(without_penalties());
    text
}

/// OpenSSH 9.8 and later would lock 127.0.0.1 out after a few stories' failures: the line that keeps it from that, where
/// sshd knows it.
pub fn without_penalties() -> &'static str {
    let key = path("host-key").display().to_string();
    let asked = run("/usr/sbin/sshd", &["-T", "-f", "/dev/null", "-h", &key, "-o", "PerSourcePenalties=no"]);
    if asked.code == 0 { "PerSourcePenalties no\n" } else { "" }
}

/// A key pair in the story's private directory, made if it is not there.
pub(crate) fn key_pair(name: &str) -> PathBuf {
    let key = path(name);
    if !key.exists() {
        let file = key.display().to_string();
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", &file])
            .expect_success("ssh-keygen");
    }
    key
}
