//! What a login would meet. It is the rules' own first step, on a copy of the account, so what is told here is what
//! happens.

use protocol::manage as wire;

use super::subject::Subject;
use super::{Administration, Refused};
use crate::config::RuleName;
use crate::moment::Moment;
use crate::rules::attempt::{Attempt, Source, SshKey, ToldBy};
use crate::rules::login::{self, Opening};
use crate::rules::matching::{self, Looked};
use crate::rules::policy::{Purpose, Way};
use crate::steps::{Facts, Standing, Steps};
use crate::store::Store;
use crate::words;

impl Administration<'_> {
    pub(super) async fn explain(&self, asked: wire::Explain) -> Result<wire::ExplainReply, Refused> {
        let subject = self.person(Some(&asked.user)).await?;
        let now = self.moment(asked.at);
        let attempt = attempt(&subject, &asked)?;
        let facts = self.login_facts(&subject, attempt).await?;
        let looked = matching::trace(&facts.config, &facts.attempt, now)
            .map_err(|_| Refused::Parameter("no calendar has that time"))?;
        let rules: Vec<wire::RuleLine> = looked.iter().filter_map(line).collect();
        let rule = looked.last().filter(|last| last.failing.is_none()).and_then(|last| name(last));
        let (rule, trace) = (rule.map(|rule| rule.name.clone()), matching::trace_id(&looked));
        let account = self.daemon.store.account(&subject.name).await?.unwrap_or_default();
        let steps = Steps::new(self.daemon.clone(), facts, Standing::Known);
        let (opening, said) = steps.imagine(account, now, login::begin);
        let (outcome, ways) = told(&opening, said);
        Ok(wire::ExplainReply { rules, rule, outcome, ways, trace })
    }

    /// A login of somebody, as their program would begin it.
    pub(super) async fn login_facts(
        &self,
        subject: &Subject,
        mut attempt: Attempt,
    ) -> Result<Facts, Refused> {
        let config = self.daemon.live().config.clone();
        let wanted = matching::groups_that_matter(&config, &attempt);
        attempt.groups = self.daemon.people.memberships(&subject.name, wanted).await?;
        let uid = subject.found.person.as_ref().map_or(u32::MAX, |person| person.uid);
        Ok(Facts {
            config,
            attempt,
            purpose: Purpose::Login,
            host: self.daemon.host.clone(),
            uid,
            by: self.peer.uid,
            known: subject.found.known.clone(),
            reference: String::new(),
        })
    }

    /// The moment that shows this time; now if none.
    fn moment(&self, at: Option<u64>) -> Moment {
        let now = self.daemon.clock.now();
        let Some(wall) = at else { return now };
        let boot = if wall >= now.wall {
            now.boot.saturating_add(wall - now.wall)
        } else {
            now.boot.saturating_sub(now.wall - wall)
        };
        Moment { wall, boot, ..now }
    }
}

fn attempt(subject: &Subject, asked: &wire::Explain) -> Result<Attempt, Refused> {
    let source = match &asked.source {
        None => Source::Unknown,
        Some(text) => Source::try_from(text.clone())
            .map_err(|_| Refused::Parameter("a source is an address, or \"local\""))?,
    };
    let key = (asked.key_type.is_some() || asked.key_fingerprint.is_some()).then(|| SshKey {
        kind: asked.key_type.clone().unwrap_or_default(),
        fingerprint: asked.key_fingerprint.clone().unwrap_or_default(),
    });
    let request = Attempt::of_request(subject.name.clone(), &asked.service);
    // "local" is a console here: what a pseudo-terminal is, no rule knows.
    let tty = (source == Source::Local).then(|| "tty1".to_owned());
    Ok(Attempt { source, tty, ssh_key: key, told_by: ToldBy::Root, ..request })
}

fn name<'a>(looked: &Looked<'a>) -> Option<&'a RuleName> {
    looked.rule.terms.rule.as_ref()
}

fn line(looked: &Looked<'_>) -> Option<wire::RuleLine> {
    let RuleName { name, file, line } = name(looked)?;
    Some(wire::RuleLine {
        name: name.clone(),
        file: file.display().to_string(),
        line: *line,
        failing: looked.failing.map(|condition| condition.name().to_owned()),
    })
}

/// What happens first, and the ways that are open. `said` are the records that it would leave.
fn told(opening: &Opening, said: Vec<String>) -> (String, Vec<String>) {
    let names = |ways: &[Way]| ways.iter().map(|way| way.factor().to_owned()).collect();
    match opening {
        Opening::End(_) => (said.join("; "), Vec::new()),
        Opening::Announce(channel) => (words::announcement(channel), vec![channel.factor().to_owned()]),
        Opening::Ask(asked, _) => (format!("{} is asked for", asked.way.factor()), names(&asked.ways)),
        Opening::Enrol => ("they enrol a factor at the login".to_owned(), Vec::new()),
    }
}
