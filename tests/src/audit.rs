//! What mfad recorded, read through `mfactl events --json`.

use serde::Deserialize;

/// A record; fields that stories do not look at are left out.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    /// Rises by one an event.
    pub id: i64,
    /// What happened.
    pub kind: String,
    /// The person it is about.
    pub user: Option<String>,
    /// The PAM service.
    pub service: Option<String>,
    /// The address, "local" or "unknown".
    pub source: Option<String>,
    /// The login's reference, and the letters of the way that the rules took.
    pub reference: Option<String>,
    /// A sentence.
    pub text: String,
}

/// Reads the output of mfactl: a batch a line.
///
/// # Panics
/// If it is something else.
pub fn events(output: &str) -> Vec<Event> {
    #[derive(Deserialize)]
    struct Batch {
        events: Vec<Event>,
    }
    let batches = output.lines().map(serde_json::from_str::<Batch>);
    let events = batches.flat_map(|batch| {
        batch
            .unwrap_or_else(|error| panic!("mfactl events --json printed no events ({error}):\n{output}"))
            .events
    });
    events.collect()
}
