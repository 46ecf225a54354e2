//! Whether the audit is what mfad wrote.

use protocol::manage::{self as wire, Finding, Outcome};

use super::{Administration, Refused};
use crate::audit::chain::Place;
use crate::store::sqlite::{Known, Verified};

impl Administration<'_> {
    pub(super) async fn verify_audit(
        &self,
        asked: wire::VerifyAudit,
    ) -> Result<wire::VerifyAuditReply, Refused> {
        let is_asked = asked.known.is_some();
        let Verified { events, begin, head, breaks, count, known } =
            self.daemon.store.verify(asked.known).await?;
        let known = is_asked.then(|| finding(known));
        let is_strange = known.as_ref().is_some_and(|known| known.outcome == Outcome::Failed);
        let outcome = if count > 0 || is_strange { Outcome::Failed } else { Outcome::Ok };
        Ok(wire::VerifyAuditReply {
            outcome,
            events,
            forgotten: begin.map_or(0, |place| u64::try_from(place.id).unwrap_or(0)),
            head: head.as_ref().map(Place::shown),
            breaks,
            count,
            known,
        })
    }
}

fn finding(known: Option<Known>) -> Finding {
    let (outcome, detail) = match known {
        Some(Known::There) => (Outcome::Ok, "the audit goes through it"),
        Some(Known::NotThere) => {
            (Outcome::Failed, "the audit does not go through it: it is another one, or an older copy")
        }
        None => (Outcome::Warning, "it is no head, or lies before the oldest event that is kept"),
    };
    Finding { name: "known head".to_owned(), outcome, detail: detail.to_owned() }
}
