//! A real Postfix that delivers to the homes of a story's people.

use std::net::TcpStream;

use crate::host::{Host, Person, free_port};
use crate::mail::{Mail, await_file};
use crate::namespace;
use crate::process::{Family, Running};
use crate::wait::until;

/// A running Postfix. `/usr/sbin/sendmail` of the same host hands mail to it.
pub struct Postfix {
    _running: Running,
    port: u16,
}

const MAIN: &str = "compatibility_level = 3.6
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = host.example.org
mydestination = localhost, host.example.org, example.org
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
alias_database =
home_mailbox = Maildir/
biff = no
";

const SERVICES: &str = "pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
";

impl Postfix {
    /// Starts it on a port of loopback, and waits until it listens.
    ///
    /// # Panics
    /// If it does not.
    pub fn start(host: &Host) -> Self {
        let port = free_port();
        host.write("/etc/postfix/main.cf", MAIN, 0o644);
        host.write(
            "/etc/postfix/master.cf",
            &format!("127.0.0.1:{port} inet n - n - - smtpd\n{SERVICES}"),
            0o644,
        );
        namespace::directory("/var/spool/postfix", 0o755);
        let mut running = Running::start("postfix", Family::Whole, "/usr/sbin/postfix", &["start-fg"]);
        until("Postfix to listen", || {
            assert!(running.has_ended().is_none(), "Postfix ended at its start: {}", running.log());
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Postfix { _running: running, port }
    }

    /// How a configuration names it.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Waits for somebody's n-th mail, from 1.
    ///
    /// # Panics
    /// If it does not come.
    pub fn await_mail(&self, person: &Person, number: usize) -> Mail {
        await_file(&person.home.join("Maildir").display().to_string(), number)
    }
}
