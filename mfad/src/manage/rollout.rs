//! Who would be locked out if a factor were asked of everybody: by what the accounts hold, and by what dry runs saw.

use std::collections::BTreeMap;

use protocol::manage::{self as wire, RolloutLine};

use super::{Administration, Refused};
use crate::rules::attempt::Attempt;
use crate::rules::policy::{self, Would};
use crate::steps::{Standing, Steps};
use crate::store::{EventQuery, Store};

/// People that one request may ask about.
const MOST: usize = 100;

/// Lines a reply: well within a frame.
const PAGE: usize = 100;

/// Records that are read at once.
const BATCH: u32 = 1000;

/// The kind of event that a dry run leaves.
const KIND: &str = "login-dry-run";

impl Administration<'_> {
    pub(super) async fn rollout(&self, asked: wire::Rollout) -> Result<wire::RolloutReply, Refused> {
        if asked.users.len() > MOST {
            return Err(Refused::Parameter("at most 100 people at once"));
        }
        let mut lines = Vec::new();
        for user in &asked.users {
            let cause = match self.person(Some(user)).await {
                Ok(subject) => self.locked_out(&subject, &asked.service).await?,
                Err(Refused::NoSuchUser(_) | Refused::NoName(_)) => continue,
                Err(refused) => return Err(refused),
            };
            let line = |cause| RolloutLine { user: user.clone(), cause, evidence: "account".to_owned() };
            lines.extend(cause.map(line));
        }
        Ok(wire::RolloutReply { lines })
    }

    /// Why somebody would be, if they would.
    async fn locked_out(
        &self,
        subject: &super::subject::Subject,
        service: &str,
    ) -> Result<Option<String>, Refused> {
        let attempt = Attempt::of_request(subject.name.clone(), service);
        let facts = self.login_facts(subject, attempt).await?;
        let account = self.daemon.store.account(&subject.name).await?.unwrap_or_default();
        let steps = Steps::new(self.daemon.clone(), facts, Standing::Known);
        let (would, _) = steps.imagine(account, self.daemon.clock.now(), |account, context, _| {
            policy::if_required(account, context)
        });
        Ok(match would {
            Would::Refuse(why) => Some(why.name().to_owned()),
            Would::Pass | Would::Ask(_) | Would::Enrol => None,
        })
    }

    /// The last record of each person counts: who enrolled since is not locked out.
    pub(super) async fn dry_runs(&self, asked: wire::DryRuns) -> Result<wire::DryRunsReply, Refused> {
        let mut last: BTreeMap<String, String> = BTreeMap::new();
        let mut query = EventQuery { kind: Some(KIND.to_owned()), limit: BATCH, ..EventQuery::default() };
        loop {
            let events = self.daemon.store.events(query.clone()).await?;
            let Some(newest) = events.last() else { break };
            query.after = newest.id;
            last.extend(events.into_iter().filter_map(|event| Some((event.user?, event.text))));
        }
        let is_after = |user: &str| asked.after.as_deref().is_none_or(|after| user > after);
        let refused = |text: &str| text.split_once("they would be refused: ").map(|(_, why)| why.to_owned());
        let mut lines: Vec<RolloutLine> = last
            .into_iter()
            .filter(|(user, _)| is_after(user))
            .filter_map(|(user, text)| {
                refused(&text).map(|cause| RolloutLine { user, cause, evidence: "dry-run".to_owned() })
            })
            .take(PAGE + 1)
            .collect();
        let more = lines.len() > PAGE;
        lines.truncate(PAGE);
        let next = lines.last().filter(|_| more).map(|line| line.user.clone());
        Ok(wire::DryRunsReply { lines, next })
    }
}
