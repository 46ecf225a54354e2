//! `io.mfad.Manage`: what mfactl may ask. One method a verb; who may call each is the daemon's table.
//!
//! Times are milliseconds since 1970 (UTC). A refusal is [`REFUSED`] with a sentence: a fact and a remedy.

use crate::{Secret, wire};

/// The description of the interface, for `GetInterfaceDescription`.
pub const DESCRIPTION: &str = include_str!("../io.mfad.Manage.varlink");

/// The interface's name.
pub const INTERFACE: &str = "io.mfad.Manage";

/// The error of a request that was understood and refused. Its `reason` is for people.
pub const REFUSED: &str = "io.mfad.Manage.Refused";

/// The error of a change of one's own factors that needs a proof first: a login of `io.mfad.Login` over the same
/// connection. It holds for ten minutes.
pub const PROOF_NEEDED: &str = "io.mfad.Manage.ProofNeeded";

wire! {
    /// Whether an administrator switched the second factor on for a person.
    enum Switch {
        /// Asked for at each login that a rule covers.
        Enabled = "enabled",
        /// Not switched on.
        Disabled = "disabled",
    }

    /// Whether a person's codes are looked at now.
    enum Lock {
        /// They are.
        Open = "open",
        /// Too many failures lately: not until the window has passed.
        Throttled = "throttled",
        /// Too many failures in a row: not until an administrator unlocks.
        Locked = "locked",
        /// The account is not what mfad wrote: the person is refused until it is restored.
        Damaged = "damaged",
    }

    /// A person, in a list.
    struct UserLine {
        /// The account name.
        user: String,
        /// The uid that the account is bound to; none before the first login or change.
        uid: Option<u32>,
        /// The switch.
        switch: Switch,
        /// The address kept in the account.
        email: Option<String>,
        /// The lock.
        lock: Lock,
        /// The last login with a factor.
        last_login: Option<u64>,
    }

    /// A code that is out.
    struct ChallengeLine {
        /// The PAM service it was asked for.
        service: String,
        /// The address or "local" or "unknown".
        source: String,
        /// When it was made.
        opened: u64,
        /// When it ends.
        expires: u64,
        /// Tries left.
        tries_left: u32,
    }

    /// How far an enrolment is.
    enum Enrolment {
        /// It waits for its first code.
        Pending = "pending",
        /// It can be used.
        Active = "active",
    }

    /// A factor that a person enrolled.
    struct FactorLine {
        /// Names it within the account: "totp-1".
        id: String,
        /// "totp", "hotp", or the name of a hook.
        factor: String,
        /// How far it is.
        enrolment: Enrolment,
        /// Since when; milliseconds since 1970.
        since: u64,
        /// Where a hook reaches the person, masked.
        contact: Option<String>,
    }

    /// A code that an administrator gave out.
    struct BypassLine {
        /// Its number.
        id: u32,
        /// Why.
        reason: String,
        /// The uid of who issued it.
        issued_by: u32,
        /// Logins that it is still good for.
        uses_left: u32,
        /// When it ends.
        expires: u64,
    }

    /// A device that is remembered.
    struct DeviceLine {
        /// Its number within the account.
        id: u32,
        /// The PAM service that it was remembered at.
        service: String,
        /// The address or network that it is recognised by.
        source: Option<String>,
        /// The fingerprint of the SSH key that it is recognised by.
        ssh_key: Option<String>,
        /// Since when; milliseconds since 1970.
        since: u64,
        /// Until when.
        until: u64,
        /// When it last spared the person a factor.
        last_used: Option<u64>,
    }

    /// A rule of the site, as one login sees it.
    struct RuleLine {
        /// Its name.
        name: String,
        /// The file that it stands in.
        file: String,
        /// Its line there.
        line: u32,
        /// The first condition that does not hold; none for the rule that counts.
        failing: Option<String>,
    }

    /// What would happen to somebody under `require = "always"`, or has happened under `"dry-run"`.
    struct RolloutLine {
        /// The account name.
        user: String,
        /// Why they would be locked out.
        cause: String,
        /// Where that is known from: "account" or "dry-run".
        evidence: String,
    }

    /// A person, whole.
    struct UserDetail {
        /// The account name.
        user: String,
        /// The uid that the account is bound to.
        uid: Option<u32>,
        /// The switch.
        switch: Switch,
        /// The address kept in the account.
        email: Option<String>,
        /// The address that a code would be sent to now, from whichever source answers first.
        sends_to: Option<String>,
        /// Where `sends_to` comes from: "account", "map:/etc/mfad/addresses", …
        sends_to_source: Option<String>,
        /// Factors that can be used now.
        factors: Vec<String>,
        /// What the person enrolled.
        enrolled: Vec<FactorLine>,
        /// The factor that is asked for first, if one was chosen.
        preferred: Option<String>,
        /// Recovery codes left.
        recovery_left: u32,
        /// Codes of administrators that are out.
        bypasses: Vec<BypassLine>,
        /// When the leave to enrol at a login ends.
        ticket_until: Option<u64>,
        /// The lock.
        lock: Lock,
        /// When the throttle lifts.
        throttled_until: Option<u64>,
        /// Wrong codes in a row.
        consecutive_failures: u32,
        /// Mails sent within the last day.
        mails_today: u32,
        /// Codes that are out.
        challenges: Vec<ChallengeLine>,
        /// Devices that are remembered.
        devices: Vec<DeviceLine>,
        /// The last login with a factor.
        last_login: Option<u64>,
    }

    /// Whether a request changed anything.
    enum Change {
        /// It did.
        Changed = "changed",
        /// It was so already.
        Unchanged = "unchanged",
    }

    /// A place in a configuration file and what is wrong there.
    struct Problem {
        /// The file.
        file: String,
        /// Line, from 1.
        line: Option<u32>,
        /// Column, from 1.
        column: Option<u32>,
        /// The key, dotted.
        key: Option<String>,
        /// The fact.
        message: String,
        /// What to do.
        remedy: String,
    }

    /// How a step or a check went.
    enum Outcome {
        /// Well.
        Ok = "ok",
        /// Not well, and it still works.
        Warning = "warning",
        /// Not.
        Failed = "failed",
    }

    /// One step of a test, or one check of the daemon's health.
    struct Finding {
        /// What was tried or looked at.
        name: String,
        /// How it went.
        outcome: Outcome,
        /// What was seen; for a failure also what to do.
        detail: String,
    }

    /// A number that the daemon counts since its start.
    struct Counter {
        /// Its name.
        name: String,
        /// Its value.
        value: u64,
    }

    /// Whether to wait for more events.
    enum Follow {
        /// Those that are there.
        No = "no",
        /// And those to come, until the caller hangs up.
        Yes = "yes",
    }

    /// A record of the audit.
    struct EventLine {
        /// Rises by one an event.
        id: i64,
        /// When.
        at: u64,
        /// The kind, such as "login-allowed".
        kind: String,
        /// The syslog priority's name: "info", "notice", "warning", "alert".
        priority: String,
        /// The person it is about.
        user: Option<String>,
        /// The uid that the name had then: a name may have gone to somebody else since.
        uid: Option<u32>,
        /// The PAM service.
        service: Option<String>,
        /// The address or "local" or "unknown".
        source: Option<String>,
        /// The reference that the person may have been shown.
        reference: Option<String>,
        /// A sentence.
        text: String,
    }

    /// A place where the audit is not what mfad wrote.
    struct AuditBreak {
        /// The first event that it concerns.
        first: i64,
        /// The last one.
        last: i64,
        /// What is wrong there.
        text: String,
    }

    /// What came of the logins of one hour.
    struct HourLine {
        /// When it began.
        at: u64,
        /// Logins that were let in.
        allowed: u64,
        /// Logins that were refused.
        refused: u64,
    }

    /// The first call: agrees on a version.
    method "io.mfad.Manage" Hello {
        /// The version that the caller speaks.
        protocol: u32,
    } ->
    /// The daemon's own.
    HelloReply {
        /// The version that the daemon speaks.
        protocol: u32,
        /// The daemon's release.
        release: String,
    }

    /// Lists accounts by name, a page a call.
    method "io.mfad.Manage" ListUsers {
        /// Start after this name.
        after: Option<String>,
        /// Only names and addresses that contain this.
        filter: Option<String>,
    } ->
    /// A page.
    ListUsersReply {
        /// The accounts.
        users: Vec<UserLine>,
        /// Ask again with this as `after`; none at the end.
        next: Option<String>,
    }

    /// Shows one account.
    method "io.mfad.Manage" ShowUser {
        /// The account name.
        user: String,
    } ->
    /// The account.
    ShowUserReply {
        /// All of it, secrets excepted.
        account: UserDetail,
    }

    /// Switches the second factor on for a person.
    method "io.mfad.Manage" EnableUser {
        /// The account name.
        user: String,
    } ->
    /// What came of it.
    EnableUserReply {
        /// Whether it was off before.
        change: Change,
        /// What would keep the person out as things are.
        warning: Option<String>,
    }

    /// Switches it off.
    method "io.mfad.Manage" DisableUser {
        /// The account name.
        user: String,
    } ->
    /// What came of it.
    DisableUserReply {
        /// Whether it was on before.
        change: Change,
    }

    /// Forgets failures, locks and used-up codes.
    method "io.mfad.Manage" UnlockUser {
        /// The account name.
        user: String,
    } ->
    /// What came of it.
    UnlockUserReply {
        /// Whether anything was locked or counted.
        change: Change,
    }

    /// Sets or clears the address kept in the account.
    method "io.mfad.Manage" SetEmail {
        /// The account name.
        user: String,
        /// The address; none clears it.
        address: Option<String>,
    } ->
    /// What came of it.
    SetEmailReply {
        /// Whether it was another before.
        change: Change,
        /// The address as it will be used.
        address: Option<String>,
    }

    /// Starts an enrolment. It replaces a pending one of the same kind.
    method "io.mfad.Manage" StartEnrolment {
        /// Whose; the caller's own if none.
        user: Option<String>,
        /// "totp", "hotp", "email", or the name of a hook.
        factor: String,
        /// Where a code reaches the person: an address for "email", what a hook understands.
        contact: Option<String>,
        /// "SHA1", "SHA256" or "SHA512"; SHA1 if none, for most apps know no other.
        algorithm: Option<String>,
        /// 6 to 8; 6 if none.
        digits: Option<u32>,
        /// Seconds that a code of an app is shown: 15 to 120; 30 if none.
        step: Option<u32>,
    } ->
    /// What to do with it.
    StartEnrolmentReply {
        /// Names it.
        id: String,
        /// The key for the app, in base 32.
        secret: Option<Secret>,
        /// The same as a URI.
        uri: Option<Secret>,
        /// The same drawn for a terminal with light text on dark ground.
        drawing: Option<Secret>,
        /// The same drawn for a terminal with dark text on light ground.
        drawing_inverted: Option<Secret>,
        /// Where a code was sent, masked.
        sent_to: Option<String>,
    }

    /// Confirms an enrolment by its first code.
    method "io.mfad.Manage" ConfirmEnrolment {
        /// Whose; the caller's own if none.
        user: Option<String>,
        /// Which; the only pending one if none.
        id: Option<String>,
        /// The code.
        code: Secret,
    } ->
    /// It is active.
    ConfirmEnrolmentReply {
        /// Which.
        id: String,
        /// The person's first recovery codes, if they had none: shown once.
        recovery: Vec<Secret>,
    }

    /// Takes a factor away, pending or active; "email" clears the address.
    method "io.mfad.Manage" RemoveFactor {
        /// Whose; the caller's own if none.
        user: Option<String>,
        /// Which.
        id: String,
    } ->
    /// What came of it.
    RemoveFactorReply {
        /// Whether there was one.
        change: Change,
        /// What the person can still prove with.
        left: Vec<String>,
    }

    /// Chooses the factor that is asked for first.
    method "io.mfad.Manage" PreferFactor {
        /// Whose; the caller's own if none.
        user: Option<String>,
        /// A factor's id, or its kind; none for the site's order.
        factor: Option<String>,
    } ->
    /// What came of it.
    PreferFactorReply {
        /// Whether it was another before.
        change: Change,
    }

    /// Makes new recovery codes; old ones end.
    method "io.mfad.Manage" NewRecovery {
        /// Whose; the caller's own if none.
        user: Option<String>,
    } ->
    /// Shown once.
    NewRecoveryReply {
        /// The codes.
        codes: Vec<Secret>,
    }

    /// Gives out a code that lets somebody in without a factor of theirs.
    method "io.mfad.Manage" IssueBypass {
        /// To whom.
        user: String,
        /// How many logins it is good for.
        uses: u32,
        /// For how long, in milliseconds; 72 hours at the most.
        lifetime: u64,
        /// Why: 1 to 200 characters, for the audit.
        reason: String,
    } ->
    /// Shown once.
    IssueBypassReply {
        /// The code.
        code: Secret,
        /// When it ends.
        expires: u64,
    }

    /// Makes all codes of administrators void.
    method "io.mfad.Manage" RevokeBypass {
        /// Whose.
        user: String,
    } ->
    /// What came of it.
    RevokeBypassReply {
        /// Whether there was one.
        change: Change,
    }

    /// Gives somebody leave to enrol at a login; an earlier ticket is void.
    method "io.mfad.Manage" IssueTicket {
        /// Whom.
        user: String,
        /// For how long, in milliseconds; 72 hours at the most.
        lifetime: u64,
    } ->
    /// Shown once.
    IssueTicketReply {
        /// The ticket.
        code: Secret,
        /// When it ends.
        expires: u64,
    }

    /// Forgets everything that a person enrolled, and every code that is out; switch and address stay.
    method "io.mfad.Manage" ResetUser {
        /// Whom.
        user: String,
    } ->
    /// What came of it.
    ResetUserReply {
        /// Whether there was anything.
        change: Change,
    }

    /// Whether a change is only tried.
    enum Run {
        /// Nothing is changed.
        Dry = "dry",
        /// It is carried out.
        Real = "real",
    }

    /// Takes over a factor of another program, active at once: the person has used it.
    method "io.mfad.Manage" ImportFactor {
        /// Whose.
        user: String,
        /// "totp" or "hotp".
        factor: String,
        /// The key, in base 32.
        secret: Secret,
        /// As for `StartEnrolment`.
        algorithm: Option<String>,
        /// As for `StartEnrolment`.
        digits: Option<u32>,
        /// As for `StartEnrolment`.
        step: Option<u32>,
        /// The next counter of a token.
        counter: Option<u64>,
        /// Steps that an app's clock is ahead, -2 to 2; none: it is right.
        drift: Option<i64>,
        /// The last step of an app that granted, in steps since 1970: it and those before it grant no more.
        last_step: Option<u64>,
        /// Scratch codes of eight digits, taken over as recovery codes where the person has none.
        scratch: Vec<Secret>,
        /// Whether it is only tried.
        run: Run,
    } ->
    /// What came of it.
    ImportFactorReply {
        /// Whether it was, or would be, taken over; not if the person has the same key already.
        change: Change,
    }

    /// Forgets a remembered device of a person, or all of them. Of the caller if nobody is named.
    method "io.mfad.Manage" RevokeDevices {
        /// The account name.
        user: Option<String>,
        /// The device's number; all if none.
        id: Option<u32>,
    } ->
    /// What came of it.
    RevokeDevicesReply {
        /// How many there were.
        revoked: u32,
    }

    /// Tells what a login would meet, rule by rule. Nothing is changed, and nothing is sent.
    method "io.mfad.Manage" Explain {
        /// The account name.
        user: String,
        /// The PAM service.
        service: String,
        /// Where from: an address, or "local"; unknown if none.
        source: Option<String>,
        /// The type of the SSH key that was proved, as in "ssh-ed25519".
        key_type: Option<String>,
        /// Its fingerprint: "SHA256:…".
        key_fingerprint: Option<String>,
        /// When; milliseconds since 1970. Now if none.
        at: Option<u64>,
    } ->
    /// What it would meet.
    ExplainReply {
        /// The rules that were looked at, in order; the last one counts if nothing of it fails.
        rules: Vec<RuleLine>,
        /// The name of the rule that counts; none if it is [login].
        rule: Option<String>,
        /// What would happen first.
        outcome: String,
        /// The ways to prove that would be open, in order.
        ways: Vec<String>,
        /// Names the way through the rules: the reference of a login that took the same ends in it.
        trace: String,
    }

    /// Tells who of these people would be locked out if `require` were "always" for them.
    method "io.mfad.Manage" Rollout {
        /// Account names, at most 100.
        users: Vec<String>,
        /// The PAM service.
        service: String,
    } ->
    /// Those who would.
    RolloutReply {
        /// A line each.
        lines: Vec<RolloutLine>,
    }

    /// Tells whom a dry run would have refused, by the last record of each person.
    method "io.mfad.Manage" DryRuns {
        /// Only people whose names come after this.
        after: Option<String>,
    } ->
    /// A page of them.
    DryRunsReply {
        /// A line each.
        lines: Vec<RolloutLine>,
        /// What to ask for the next page with.
        next: Option<String>,
    }

    /// Seals every secret anew by the first key of the key file, which is read again. With `more`: a reply a page.
    method "io.mfad.Manage" RotateKey {} ->
    /// How far it is.
    RotateKeyReply {
        /// Accounts that were looked at so far.
        accounts: u64,
        /// Secrets that were sealed anew so far.
        resealed: u64,
        /// Secrets that do not open by any key.
        lost: u64,
    }

    /// Reads the configuration files with the daemon's own parser, and changes nothing.
    method "io.mfad.Manage" CheckConfig {} ->
    /// What was found.
    CheckConfigReply {
        /// The files read, in order.
        files: Vec<String>,
        /// Nothing is wrong if empty.
        problems: Vec<Problem>,
        /// What is odd, though it is no fault.
        warnings: Vec<Problem>,
    }

    /// Reads the configuration files again and puts them into effect, or refuses with what is wrong and keeps the older ones.
    method "io.mfad.Manage" Reload {} ->
    /// It is in effect.
    ReloadReply {}

    /// Sends a test mail along the real path. With `more`: a reply a step, as it happens.
    method "io.mfad.Manage" TestMail {
        /// Where to.
        address: String,
    } ->
    /// A step.
    TestMailReply {
        /// What was tried and how it went.
        finding: Finding,
    }

    /// Reads the audit, oldest first. With `more`: a reply a batch; with `follow` until the caller hangs up.
    method "io.mfad.Manage" Events {
        /// Only this person's.
        user: Option<String>,
        /// Only of this kind.
        kind: Option<String>,
        /// Only by this PAM service.
        service: Option<String>,
        /// Only from this address, or "local", or "unknown".
        source: Option<String>,
        /// Only of references that begin so.
        reference: Option<String>,
        /// Not before this time.
        since: Option<u64>,
        /// At most so many of the newest; all if none.
        last: Option<u32>,
        /// Whether to wait for more.
        follow: Follow,
    } ->
    /// A batch.
    EventsReply {
        /// In order.
        events: Vec<EventLine>,
    }

    /// Looks for events that were changed, moved, taken away, put there or cut off.
    method "io.mfad.Manage" VerifyAudit {
        /// A head that was noted down before, to see whether the audit is still the same one.
        known: Option<String>,
    } ->
    /// What was found.
    VerifyAuditReply {
        /// How it is.
        outcome: Outcome,
        /// Events that are there.
        events: u64,
        /// Events that were forgotten on purpose, because they were too old or too many.
        forgotten: u64,
        /// The end, to be noted down: "1234-9f86d081884c7d65".
        head: Option<String>,
        /// The first breaks, at most 20.
        breaks: Vec<AuditBreak>,
        /// How many there are.
        count: u64,
        /// What became of `known`.
        known: Option<Finding>,
    }

    /// Hands out a copy of the database as it is now. With `more`: a reply a part.
    method "io.mfad.Manage" Backup {} ->
    /// A part.
    BackupReply {
        /// Bytes of the copy, in base 64.
        part: Secret,
        /// How many bytes there are in all.
        size: u64,
    }

    /// Hands in a part of a database that is to be restored; the first one begins anew.
    method "io.mfad.Manage" RestorePart {
        /// How many bytes are there already.
        offset: u64,
        /// More of them, in base 64.
        part: Secret,
    } ->
    /// It is kept.
    RestorePartReply {
        /// How many bytes there are now.
        length: u64,
    }

    /// Puts what was handed in in the place of the database; mfad then starts again. The old one is kept beside it.
    method "io.mfad.Manage" Restore {
        /// SHA-256 of all of it, in lower-case hexadecimal.
        digest: String,
        /// Whether it is only looked at.
        run: Run,
    } ->
    /// What is in it.
    RestoreReply {
        /// Accounts.
        accounts: u64,
        /// Events.
        events: u64,
        /// When the last one was.
        newest: Option<u64>,
    }

    /// Counts logins by hour, outcome and factor.
    method "io.mfad.Manage" Stats {
        /// Since when; 31 days back at the most.
        since: u64,
    } ->
    /// What was counted.
    StatsReply {
        /// Each hour that had a login, in order.
        hours: Vec<HourLine>,
        /// By kind of event: "login-allowed".
        outcomes: Vec<Counter>,
        /// By the factor that was proved.
        factors: Vec<Counter>,
    }

    /// Tells the counters as Prometheus reads them.
    method "io.mfad.Manage" Metrics {} ->
    /// The counters.
    MetricsReply {
        /// Line by line.
        lines: Vec<String>,
    }

    /// Asks how the daemon is.
    method "io.mfad.Manage" Health {} ->
    /// How it is.
    HealthReply {
        /// The worst of the checks.
        outcome: Outcome,
        /// The daemon's release.
        release: String,
        /// Seconds since its start.
        uptime: u64,
        /// What was looked at.
        checks: Vec<Finding>,
        /// What was counted since the start.
        counters: Vec<Counter>,
    }
}
