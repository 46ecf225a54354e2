//! A real FreeRADIUS that knows one user and one password.

use crate::host::{Host, free_port, path};
use crate::namespace;
use crate::process::{Family, Running};

/// The secret that clients share with the server.
pub const SHARED_SECRET: &str = "radius-shared-secret";

/// A running FreeRADIUS.
pub struct FreeRadius {
    _running: Running,
    port: u16,
}

const MAIN: &str = "prefix = /usr
name = radiusd
raddbdir = DIRECTORY
confdir = DIRECTORY
logdir = DIRECTORY
run_dir = DIRECTORY
libdir = /usr/lib/freeradius
proxy_requests = no
log {
    destination = stdout
    auth = yes
}
security {
    max_attributes = 200
    reject_delay = 0
    status_server = no
    allow_vulnerable_openssl = yes
}
thread pool {
    start_servers = 1
    max_servers = 2
    min_spare_servers = 1
    max_spare_servers = 2
}
client loopback {
    ipaddr = 127.0.0.1
    secret = SECRET
    require_message_authenticator = yes
}
modules {
    pap {
    }
    files {
        usersfile = DIRECTORY/users
    }
}
server default {
    listen {
        type = auth
        ipaddr = 127.0.0.1
        port = PORT
    }
    authorize {
        files
        pap
    }
    authenticate {
        Auth-Type PAP {
            pap
        }
    }
}
";

impl FreeRadius {
    /// Starts it on a port of loopback, with one user, and waits until it serves.
    ///
    /// # Panics
    /// If it does not.
    pub fn start(host: &Host, user: &str, password: &str) -> Self {
        let (directory, port) = (path("freeradius"), free_port());
        namespace::directory(&directory, 0o700);
        let place = directory.display().to_string();
        let main = MAIN
            .replace("DIRECTORY", &place)
            .replace("SECRET", SHARED_SECRET)
            .replace("PORT", &port.to_string());
        host.write(directory.join("radiusd.conf"), &main, 0o600);
        host.write(directory.join("users"), &format!("{user} Cleartext-Password := \"{password}\"\n"), 0o600);
        let arguments = ["-f", "-d", &place, "-n", "radiusd", "-l", "stdout"];
        let mut running = Running::start("freeradius", Family::Whole, "/usr/sbin/freeradius", &arguments);
        running.await_output("Ready to process requests");
        FreeRadius { _running: running, port }
    }

    /// How a client names it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
