//! Times of the week as people write them: `"08:00-18:00 Mon-Fri Europe/Berlin"`. Without days it is every day, without a
//! zone that of the host. A time that ends before it begins goes on into the next day, and belongs to the day it began on.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use super::problem::Problem;
use super::suggest;
use super::tree::Node;
use super::values::text;

const REMEDY: &str = "write it as in \"08:00-18:00 Mon-Fri\" or \"22:00-06:00 Sat,Sun Europe/Berlin\"";

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const MINUTES_OF_A_DAY: u32 = 24 * 60;

/// A part of each week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Minutes since midnight: the first that is in it.
    from: u32,
    /// The first that is not.
    to: u32,
    /// The days on which it begins, Monday first.
    days: [Day; 7],
    zone: TimeZone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    In,
    Out,
}

/// The clock shows a time that no calendar has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchTime;

impl Schedule {
    /// Whether an instant, in milliseconds since 1970, is in it.
    ///
    /// # Errors
    /// [`NoSuchTime`]: then nobody can say.
    pub fn holds(&self, wall: u64) -> Result<bool, NoSuchTime> {
        let millis = i64::try_from(wall).map_err(|_| NoSuchTime)?;
        let local = Timestamp::from_millisecond(millis).map_err(|_| NoSuchTime)?.to_zoned(self.zone.clone());
        let minute = u32::from(local.hour().unsigned_abs()) * 60 + u32::from(local.minute().unsigned_abs());
        let is_in =
            |day: Weekday| self.days[usize::from(day.to_monday_zero_offset().unsigned_abs())] == Day::In;
        let today = is_in(local.weekday());
        Ok(if self.from < self.to {
            today && (self.from..self.to).contains(&minute)
        } else {
            let yesterday = is_in(local.weekday().previous());
            (today && minute >= self.from) || (yesterday && minute < self.to)
        })
    }
}

pub(super) fn read(node: &Node) -> Result<Schedule, Problem> {
    let mut words = text(node)?.split_ascii_whitespace();
    let (from, to) = words
        .next()
        .and_then(|times| times.split_once('-'))
        .and_then(|(from, to)| Some((minute(from)?, minute(to)?)))
        .filter(|(from, to)| *from < MINUTES_OF_A_DAY && from != to)
        .ok_or_else(|| node.problem("this is no time of the day", REMEDY))?;
    let mut word = words.next();
    let named = match word.filter(|word| !is_zone(word)) {
        Some(list) => {
            word = words.next();
            days(node, list)?
        }
        None => [Day::In; 7],
    };
    let zone = match word {
        Some(name) => zone(node, name)?,
        None => TimeZone::system(),
    };
    if words.next().is_some() {
        return Err(node.problem("there is something behind the time zone", REMEDY));
    }
    Ok(Schedule { from, to, days: named, zone })
}

/// Minutes since midnight; 24:00 is the end of the day.
fn minute(text: &str) -> Option<u32> {
    let (hours, minutes) =
        text.split_once(':').filter(|(hours, minutes)| hours.len() <= 2 && minutes.len() == 2)?;
    let number =
        |text: &str| text.parse::<u32>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= MINUTES_OF_A_DAY).then_some(minute)
}

fn is_zone(word: &str) -> bool {
    word.contains('/') || word == "UTC"
}

/// `Mon-Fri`, `Sat,Sun`, `Fri-Mon`.
fn days(node: &Node, list: &str) -> Result<[Day; 7], Problem> {
    let mut days = [Day::Out; 7];
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut at, last) = (day(node, first)?, day(node, last)?);
        days[at] = Day::In;
        while at != last {
            at = (at + 1) % 7;
            days[at] = Day::In;
        }
    }
    Ok(days)
}

fn day(node: &Node, name: &str) -> Result<usize, Problem> {
    let known = DAYS.iter().position(|day| day.eq_ignore_ascii_case(name));
    known.ok_or_else(|| {
        let remedy = match DAYS.iter().find(|day| name.to_lowercase().starts_with(&day.to_lowercase())) {
            Some(day) => format!("did you mean {day}?"),
            None => REMEDY.to_owned(),
        };
        node.problem(format!("no day is called {name}"), remedy)
    })
}

fn zone(node: &Node, name: &str) -> Result<TimeZone, Problem> {
    TimeZone::get(name).map_err(|_| {
        let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let folded: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        let lower: Vec<&str> = folded.iter().map(String::as_str).collect();
        let near =
            suggest::nearest(name, &lower).and_then(|near| lower.iter().position(|name| *name == near));
        let remedy = match near {
            Some(at) => format!("did you mean {}?", names[at]),
            None => "write a zone of /usr/share/zoneinfo, as in Europe/Berlin".to_owned(),
        };
        node.problem(format!("this host knows no time zone {name}"), remedy)
    })
}
