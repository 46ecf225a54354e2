"""Who is measured: the stack, the users and the state of each contender, all on the same disk."""
import base64
import os
import shutil
import sqlite3
import subprocess
import sys

import machine
import seed
import users

STATE = "/mnt/state"
RUN = "/mnt/run"
MAIL = "/mnt/mail"
MAIL_CAP = 1000  # mails a second to one user: the most that mfad's configuration takes


class Contender:
    """A PAM service, and what has to be there for it."""

    most = sys.maxsize  # logins in one run
    alone = False  # True: measured with one process only

    def __init__(self, name, title, stack, options=()):
        self.name, self.title, self.options = name, title, list(options)
        self.service = f"bench-{name}"
        self.server = None
        with open(f"{machine.CONFDIR}/{self.service}", "w") as f:
            f.write(f"auth required {stack}\n")

    def prepare(self):
        """Once: state, users, server."""

    def reset(self):
        """Before each run: the users' counters are where the driver begins."""

    def users(self, first=0, count=len(users.DRIVEN)):
        """The driver's options for `count` of the users that log in, from the `first` on."""
        step = users.DRIVEN.step
        return ["--first", first * step, "--step", step, "--users", count]

    def run(self, *options):
        """One run of the driver with this contender alone awake."""
        self.reset()
        os.sync()
        if self.server:
            self.server.resume()
        try:
            pid = self.server.pid if self.server else None
            return machine.drive(self.service, [*self.options, *options], pid)
        finally:
            if self.server:
                self.server.pause()


class GoogleAuthenticator(Contender):
    """One file a user. no_increment_hotp: a wrong code by a stranger does not move the counter."""

    def __init__(self, name, title, state, options=()):
        self.directory, self.state = f"{STATE}/{name}", state
        stack = f"pam_google_authenticator.so secret={self.directory}/${{USER}} user=root no_increment_hotp"
        super().__init__(name, title, stack, options)

    def reset(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        os.mkdir(self.directory, 0o700)
        for user in users.DRIVEN:
            secret = base64.b32encode(users.key(user)).decode().rstrip("=")
            path = f"{self.directory}/{users.name(user)}"
            with open(path, "w") as f:
                f.write(f"{secret}\n{self.state}")
            os.chmod(path, 0o400)


class Oath(Contender):
    """One file for all users, written anew at each login."""

    def __init__(self):
        self.file = f"{STATE}/users.oath"
        super().__init__("oath", "pam_oath, HOTP", f"pam_oath.so usersfile={self.file} window=20 digits=6")

    def reset(self):
        for leftover in (".lock", ".new"):
            if os.path.exists(self.file + leftover):
                os.unlink(self.file + leftover)
        with open(self.file, "w") as f:
            os.fchmod(f.fileno(), 0o600)
            for user in users.DRIVEN:
                f.write(f"HOTP\t{users.name(user)}\t-\t{users.key(user).hex()}\t1\n")


class Floor(Contender):
    """The least that a module with a daemon must do: an echo over a socket and one durable SQLite write."""

    def __init__(self):
        self.socket = f"{RUN}/floor.sock"
        super().__init__("floor", "floor: echo, one durable write", f"{machine.BIN}/pam_floor.so socket={self.socket}")

    def prepare(self):
        path = f"{STATE}/floor.db"
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE t(name TEXT PRIMARY KEY, counter INTEGER, last INTEGER) WITHOUT ROWID")
            db.executemany("INSERT INTO t VALUES(?, 0, 0)", [(users.name(user),) for user in users.DRIVEN])
        db.close()
        command = [f"{machine.BIN}/floor_server", self.socket, "bg", path]
        self.server = machine.Server(command, lambda: machine.accepts(self.socket), f"{STATE}/floor.log")
        self.server.start()
        self.server.pause()


class Mfad(Contender):
    """The real module and daemon. Every code is one that mfad made, read from its local courier's Maildir."""

    tries = 3  # what mfad gives where nothing is configured

    def __init__(self, name, title, accounts):
        self.runtime, self.state, self.mail = f"{RUN}/{name}", f"{STATE}/{name}", f"{MAIL}/{name}"
        self.config, self.log = f"{RUN}/{name}.toml", f"{STATE}/{name}.log"
        self.accounts = accounts
        self.alone = accounts is not users.DRIVEN
        stack = f"{machine.BIN}/libpam_mfad.so socket={self.runtime}/io.mfad.Login"
        super().__init__(name, title, stack, ["--maildir", self.mail])

    def prepare(self):
        self.write_config()
        for user in (user for user in users.DRIVEN if user in self.accounts):
            for box in ("tmp", "new", "cur"):
                os.makedirs(f"{self.mail}/{users.name(user)}/{box}")
        command = [f"{machine.BIN}/mfad", "--config", self.config, "--allow-root"]
        self.server = machine.Server(command, self.serves, self.log)
        self.server.start()
        self.create(users.ONE)
        self.server.stop()
        seed.replicate(self.state, users.ONE, self.accounts)
        self.server.start()
        self.server.pause()

    def write_config(self):
        for directory in (self.runtime, self.state):
            os.mkdir(directory, 0o755)
        key = f"{RUN}/{self.name}.key"
        with open(key, "wb") as f:
            os.fchmod(f.fileno(), 0o400)
            f.write(os.urandom(32))
        with open(self.config, "w") as f:
            os.fchmod(f.fileno(), 0o644)
            f.write(CONFIG.format(state=self.state, runtime=self.runtime, key=key, mail=self.mail, cap=MAIL_CAP, tries=self.tries))

    def serves(self):
        return machine.accepts(f"{self.runtime}/io.mfad.Login") and machine.answers_hello(f"{self.runtime}/io.mfad.Manage")

    def create(self, user):
        """Makes one account as an administrator would: the pattern for all others."""
        name = users.name(user)
        for verb in (["user", "email", name, f"{name}@bench.example"], ["user", "enable", name]):
            command = [f"{machine.BIN}/mfactl", "--socket", f"{self.runtime}/io.mfad.Manage", *verb]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")


class MfadApp(Mfad):
    """The same with keys that an administrator imported: no mail, two exchanges with the daemon."""

    def __init__(self, name, title, factor, options=()):
        super().__init__(name, title, users.DRIVEN)
        self.factor, self.options = factor, list(options)

    def prepare(self):
        self.write_config()
        command = [f"{machine.BIN}/mfad", "--config", self.config, "--allow-root"]
        self.server = machine.Server(command, self.serves, self.log)
        self.server.start()
        self.server.pause()

    def reset(self):
        self.server.resume()
        with machine.Caller(f"{self.runtime}/io.mfad.Manage") as manage:
            for user in users.DRIVEN:
                name, secret = users.name(user), base64.b32encode(users.key(user)).decode().rstrip("=")
                manage.call("ResetUser", user=name)
                manage.call("ImportFactor", user=name, factor=self.factor, secret=secret, counter=1, scratch=[], run="real")
        self.server.pause()


class Paced:
    """A contender at the pace of people. An account remembers its latest mails, so one that logs in a thousand times a
    second would be slow for a reason that nobody has; the others that it is compared with rest as long."""

    most = 100
    alone = True

    def __init__(self, other, name, title):
        self.other, self.name, self.title = other, name, title

    def prepare(self):
        if not self.other.server:
            self.other.prepare()

    def users(self):
        accounts = self.other.accounts
        return self.other.users() if len(accounts) > 1 else ["--first", accounts[0], "--users", 1]

    def run(self, *options):
        return self.other.run("--pace-ms", 50, *options)


class MfadOneTry(MfadApp):
    """One code decides, as with the peers, which ask once."""

    tries = 1


class MfadRules(MfadApp):
    """The same behind the rules of a large site, none of which is for whoever logs in here, among many accounts."""

    rules, groups = 1000, 5

    def __init__(self, name, title, many):
        super().__init__(name, title, "hotp")
        self.accounts = many

    def prepare(self):
        super().prepare()
        self.server.resume()
        self.create(users.ONE)
        self.server.stop()
        others = set(self.accounts) - set(users.DRIVEN)
        seed.replicate(self.state, users.ONE, sorted(others))
        self.server.start()
        self.server.pause()

    def write_config(self):
        super().write_config()
        with open(self.config, "a") as f:
            for number in range(self.rules - self.groups):
                f.write(TEAM.format(number=number, net=f"10.{number // 256}.{number % 256}"))
            for number in range(self.groups):
                f.write(GROUP.format(number=number))


class Once:
    """A contender whose users log in once a run: a step of time grants once, so a second login would have to wait, and
    a second wrong code would meet the throttle."""

    alone = False
    most = len(users.DRIVEN)

    def __init__(self, other):
        self.other, self.name, self.title = other, other.name, other.title

    def prepare(self):
        self.other.prepare()

    def users(self, *part):
        return self.other.users(*part)

    def run(self, *options):
        return self.other.run(*options, "--warmup", 0)


# The cap is as wide as a cap can be: in a minute of this, a user logs in as often as people do in a month.
CONFIG = """\
[paths]
state = "{state}"
runtime = "{runtime}"
key = "{key}"

[login]
require = "enrolled"
tries = {tries}

[email]
transport = "maildir"
maildir = "{mail}/$USER"
per-user = {{ "1s" = {cap} }}
"""


TEAM = """
[[rule]]
name = "team {number}"
users = ["team-{number}-*"]
groups = ["team-{number}"]
services = ["sshd", "bench-*"]
sources = ["{net}.0/24", "local"]
between = "08:00-18:00 Mon-Fri"
require = "always"
factors = ["totp", "recovery"]
"""

GROUP = """
[[rule]]
name = "group {number}"
groups = ["bench-group-{number}"]
require = "always"
"""


def peers():
    """Everybody but mfad."""
    hotp = '" WINDOW_SIZE 17\n" HOTP_COUNTER 1\n'
    return [
        Contender("permit", "pam_permit: nothing", "pam_permit.so"),
        Floor(),
        GoogleAuthenticator("ga", "pam_google_authenticator, HOTP", hotp),
        Oath(),
    ]


def wrong_codes(peers_only):
    """Whoever is shown wrong codes of an app, one a user. The peer's files are what its tool writes, without the rate
    limit, which would write the file anew at each code."""
    wrong = ["--totp", "--wrong"]
    totp = '" WINDOW_SIZE 3\n" DISALLOW_REUSE\n" TOTP_AUTH\n'
    peer = Once(GoogleAuthenticator("ga-wrong", "pam_google_authenticator, TOTP", totp, wrong))
    return [peer] if peers_only else [peer, Once(MfadOneTry("mfad-wrong", "mfad, TOTP", "totp", wrong))]


def ours(million, hundred_thousand):
    """mfad with the peers' thousand accounts, with one, and with `million` of them."""
    many = Mfad("mfad-many", f"mfad, {million:,} accounts", range(0, 1_000_000, 1_000_000 // million))
    return [
        Mfad("mfad", "mfad, mailed code", users.DRIVEN),
        MfadApp("mfad-hotp", "mfad, HOTP", "hotp"),
        MfadRules("mfad-rules", "mfad, HOTP, 1,000 rules", range(0, 1_000_000, 1_000_000 // hundred_thousand)),
        Once(MfadApp("mfad-totp", "mfad, TOTP", "totp", ["--totp"])),
        many,
        Paced(many, "mfad-many-paced", f"mfad, {million:,}, paced"),
        Paced(Mfad("mfad-one", "mfad, 1 account", [users.ONE]), "mfad-one", "mfad, 1 account, paced"),
    ]
