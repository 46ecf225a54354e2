//! An mfad of its own for one test: directories, a key, Maildirs, and peers that speak its sockets. All of it ends with
//! the test, also when the test fails.

#![allow(dead_code, unreachable_pub)] // A part of each test file that uses it; none uses all of it.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use protocol::call::{self, Method, Position, Replies};
use protocol::frame::{self, FrameBuffer};
use protocol::{login, manage};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A daemon, and what it has.
pub struct Running {
    directory: PathBuf,
    child: Option<Child>,
}

impl Running {
    /// Starts one, with more lines for its configuration.
    pub fn start(extra: &str) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("daemon-{}-{number}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&directory).unwrap();
        for part in ["state", "run", "mail"] {
            fs::create_dir_all(directory.join(part)).unwrap();
        }
        let mut running = Running { directory, child: None };
        running.write_key(&[7; 32], 0o400);
        running.configure(extra);
        running.start_again();
        running
    }

    /// Starts it (again), and waits until it serves.
    pub fn start_again(&mut self) {
        self.child = Some(self.command().spawn().unwrap());
        let end = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(self.socket("io.mfad.Manage")).is_err() {
            assert!(Instant::now() < end, "mfad did not start");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts it as systemd would: with two listening sockets.
    pub fn start_with_passed_sockets(&mut self) {
        let listen = |name: &str| {
            let path = self.socket(name);
            let _ = fs::remove_file(&path);
            OwnedFd::from(UnixListener::bind(path).unwrap())
        };
        let (login, manage) = (listen(login::INTERFACE), listen(manage::INTERFACE));
        // They arrive as standard input and output, and go where sd_listen_fds(3) puts them: in the other order than that
        // of the unit, which shows whether it is their names that count.
        let script = "LISTEN_PID=$$ LISTEN_FDS=2 exec \"$@\" 4<&0 3<&1 0</dev/null 1>&2";
        let mut command = Command::new("setpriv");
        command.args([
            "--pdeathsig",
            "KILL",
            "sh",
            "-c",
            script,
            "sh",
            env!("CARGO_BIN_EXE_mfad"),
            "--allow-root",
        ]);
        command.arg("--config").arg(self.directory.join("mfad.toml")).stdin(login).stdout(manage);
        self.child = Some(command.spawn().unwrap());
    }

    /// The first mail in a Maildir, when it is there.
    pub fn await_mail(&self, user: &str) -> String {
        let end = Instant::now() + Duration::from_secs(20);
        while self.mails(user) == 0 {
            assert!(Instant::now() < end, "no mail for {user}");
            thread::sleep(Duration::from_millis(10));
        }
        let directory = self.directory.join("mail").join(user).join("new");
        let file = fs::read_dir(directory).unwrap().next().unwrap().unwrap();
        fs::read_to_string(file.path()).unwrap()
    }

    /// Writes the configuration: the directories, a Maildir courier, and `extra`.
    pub fn configure(&self, extra: &str) {
        let base = self.directory.display();
        let mail = "transport = \"maildir\"\nfrom = \"mfad <mfad@example.org>\"\n";
        let maildir = format!("maildir = \"{base}/mail/$USER\"\n");
        let sections = if let Some((before, after)) = extra.split_once("[email]\n") {
            format!("{before}[email]\n{mail}{maildir}{after}")
        } else {
            format!("{extra}\n[email]\n{mail}{maildir}")
        };
        let paths =
            format!("[paths]\nstate = \"{base}/state\"\nruntime = \"{base}/run\"\nkey = \"{base}/key\"\n");
        let file = self.directory.join("mfad.toml");
        fs::write(&file, paths + &sections).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Adds a file to conf.d.
    pub fn drop_in(&self, name: &str, text: &str) {
        let directory = self.directory.join("conf.d");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(name), text).unwrap();
        fs::set_permissions(directory.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn remove_drop_in(&self, name: &str) {
        fs::remove_file(self.directory.join("conf.d").join(name)).unwrap();
    }

    pub fn write_key(&self, key: &[u8], mode: u32) {
        let file = self.directory.join("key");
        let _ = fs::remove_file(&file);
        fs::write(&file, key).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Waits until it ends by itself.
    pub fn await_end(&mut self) {
        let ended = self.child.take().unwrap().wait().unwrap();
        assert!(ended.success(), "{ended}");
    }

    pub fn kill(&mut self) {
        self.end(Signal::SIGKILL);
    }

    pub fn terminate(&mut self) {
        self.end(Signal::SIGTERM);
    }

    /// Sends SIGHUP and waits until it was looked at: until the log of counters moved on is not observable, so until a
    /// reply that was asked for afterwards arrives.
    pub fn reload(&self) {
        self.signal(Signal::SIGHUP);
        thread::sleep(Duration::from_millis(100));
        self.manage().call(&manage::Health {}).unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().unwrap();
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    }

    /// What a second daemon on the same directories says.
    pub fn try_another(&self) -> String {
        let output = self.command().stderr(Stdio::piped()).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }

    /// What it says instead of starting.
    pub fn fails_to_start(&self) -> String {
        self.try_another()
    }

    pub fn connect(&self, socket: &str) -> UnixStream {
        let stream = UnixStream::connect(self.socket(socket)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    pub fn login(&self) -> Peer {
        Peer { stream: self.connect(login::INTERFACE), buffer: FrameBuffer::default(), relay: None }
    }

    pub fn manage(&self) -> Peer {
        Peer { stream: self.connect(manage::INTERFACE), buffer: FrameBuffer::default(), relay: None }
    }

    /// A peer of io.mfad.Manage with another uid. A relay connects, for the kernel tells the daemon who did.
    pub fn manage_as(&self, uid: u32) -> Peer {
        let relay =
            "use IO::Socket::UNIX; use IO::Select; my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!;
            my $both = IO::Select->new($s, \\*STDIN);
            while (my @ready = $both->can_read) { for my $from (@ready) {
                sysread($from, my $bytes, 65536) or exit;
                syswrite($from == $s ? \\*STDOUT : $s, $bytes); } }";
        let (own, theirs) = UnixStream::pair().unwrap();
        own.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let id = uid.to_string();
        // It may not be able to look into the directories above, so it begins in the right one.
        let relay = Command::new("setpriv")
            .args(["--reuid", &id, "--regid", &id, "--clear-groups", "perl", "-e", relay, manage::INTERFACE])
            .current_dir(self.directory.join("run"))
            .stdin(OwnedFd::from(theirs.try_clone().unwrap()))
            .stdout(OwnedFd::from(theirs))
            .spawn()
            .unwrap();
        Peer { stream: own, buffer: FrameBuffer::default(), relay: Some(Relay(relay)) }
    }

    /// A file in the directories.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub fn account(&self, user: &str) -> manage::UserDetail {
        self.manage().call(&manage::ShowUser { user: user.into() }).unwrap().account
    }

    pub fn events(&self) -> Vec<manage::EventLine> {
        let events = every_event(manage::Follow::No);
        let mut peer = self.manage();
        peer.send(&events, Replies::Many);
        let mut all = Vec::new();
        loop {
            let (reply, position) = peer.receive::<manage::Events>().unwrap();
            all.extend(reply.events);
            if position == Position::Last {
                return all;
            }
        }
    }

    /// How many mails a person got.
    pub fn mails(&self, user: &str) -> usize {
        fs::read_dir(self.directory.join("mail").join(user).join("new")).map_or(0, Iterator::count)
    }

    /// The code in the newest mail that has one; news of changes arrive there as well.
    pub fn code(&self, user: &str) -> String {
        self.codes(user).pop().unwrap()
    }

    /// The codes in all mails, the newest last. Those of mails that came within one tick of the clock may be in any order.
    pub fn codes(&self, user: &str) -> Vec<String> {
        let directory = self.directory.join("mail").join(user).join("new");
        let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort_by_key(|file| fs::metadata(file).unwrap().modified().unwrap());
        let code = |file: &PathBuf| {
            let mail = fs::read_to_string(file).unwrap();
            let (_, rest) = mail.split_once("Your login code is ")?;
            Some(rest.chars().take_while(char::is_ascii_digit).collect())
        };
        files.iter().filter_map(code).collect()
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.directory.join("run").join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_mfad"), "--allow-root", "--config"]);
        command.arg(self.directory.join("mfad.toml")).stdin(Stdio::null());
        command
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut child) = self.child.take() {
            let _ = kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal);
            let _ = child.wait();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(Signal::SIGKILL);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Asks for all events.
pub fn every_event(follow: manage::Follow) -> manage::Events {
    manage::Events {
        user: None,
        kind: None,
        service: None,
        source: None,
        reference: None,
        since: None,
        last: None,
        follow,
    }
}

/// A peer of one socket.
pub struct Peer {
    stream: UnixStream,
    buffer: FrameBuffer,
    relay: Option<Relay>,
}

/// Carries bytes between a test and the daemon under another uid.
struct Relay(Child);

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Peer {
    /// Calls, and waits for the one reply; the error is its name and text.
    pub fn call<M: Method>(&mut self, method: &M) -> Result<M::Reply, String> {
        self.send(method, Replies::One);
        self.receive::<M>().map(|(reply, _)| reply)
    }

    pub fn send<M: Method>(&mut self, method: &M, replies: Replies) {
        let bytes = frame::encode(&call::outgoing(method, replies)).unwrap();
        self.stream.write_all(&bytes).unwrap();
    }

    pub fn receive<M: Method>(&mut self) -> Result<(M::Reply, Position), String> {
        let frame =
            frame::read_frame(&mut self.stream, &mut self.buffer).map_err(|error| error.to_string())?;
        call::parse_reply::<M>(&frame).map_err(|error| error.to_string())
    }

    /// What comes until the daemon hangs up.
    pub fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }
}
