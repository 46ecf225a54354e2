//! How many: charts of logins, and the daemon's counters.

use protocol::manage::{Counter, Metrics, Stats, StatsReply};

use crate::Ending;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::time;

/// Letters of the longest bar.
const WIDTH: u64 = 50;

/// Shows logins by hour of the day, outcome and factor: of the last day, unless told otherwise.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn show(since: Option<u64>, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let since = since.unwrap_or_else(time::yesterday);
    let reply = daemon.call(&Stats { since })?;
    output.answer(&reply, |reply| charts(reply, since))?;
    Ok(Ending::Done)
}

/// Shows the counters.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn metrics(daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let reply = daemon.call(&Metrics {})?;
    output.answer(&reply, |reply| reply.lines.join("\n"))?;
    Ok(Ending::Done)
}

fn charts(reply: &StatsReply, since: u64) -> String {
    let since = time::local(since);
    if reply.hours.is_empty() {
        return format!("No logins since {since}.");
    }
    let mut lines = vec![format!("Logins since {since}, by hour of the day (# let in, x refused)")];
    lines.extend(by_hour(reply));
    for (title, counters) in [("By outcome", &reply.outcomes), ("By factor", &reply.factors)] {
        if !counters.is_empty() {
            lines.push(format!("\n{title}"));
            lines.extend(bars(counters));
        }
    }
    lines.join("\n")
}

fn by_hour(reply: &StatsReply) -> Vec<String> {
    let mut hours = [(0, 0); 24];
    for line in &reply.hours {
        if let Some((allowed, refused)) = hours.get_mut(time::hour(line.at)) {
            *allowed += line.allowed;
            *refused += line.refused;
        }
    }
    let most = hours.iter().map(|(allowed, refused)| allowed + refused).max().unwrap_or(0);
    let line = |(hour, (allowed, refused)): (usize, &(u64, u64))| {
        let sum = allowed + refused;
        let bar = bar('#', *allowed, most) + &bar('x', *refused, most);
        format!("{hour:02}:00 {sum:>8}  {bar}").trim_end().to_owned()
    };
    hours.iter().enumerate().map(line).collect()
}

fn bars(counters: &[Counter]) -> Vec<String> {
    let most = counters.iter().map(|counter| counter.value).max().unwrap_or(0);
    let widest = counters.iter().map(|counter| counter.name.chars().count()).max().unwrap_or(0);
    let line = |Counter { name, value }: &Counter| {
        format!("{name:<widest$} {value:>8}  {}", bar('#', *value, most)).trim_end().to_owned()
    };
    counters.iter().map(line).collect()
}

/// What is there is seen: at least one letter.
fn bar(letter: char, value: u64, most: u64) -> String {
    let length = value.saturating_mul(WIDTH).div_ceil(most.max(1));
    std::iter::repeat_n(letter, usize::try_from(length).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_and_never_gone() {
        for (value, most, length) in [(0, 0, 0), (0, 9, 0), (1, 10_000, 1), (5, 10, 25), (10, 10, 50)] {
            assert_eq!(bar('#', value, most).len(), length, "{value} of {most}");
        }
    }
}
