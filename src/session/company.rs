//! Who is there: the owner and the guests of a session whose pages are open, and which terminal each has in front.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{Event, GuestId, Live, NodeName, Right, Sessions, ShareId, Who, share::plain};
use crate::store::StoreError;

/// Longest name of a person, in characters.
const LONGEST_NAME: usize = 40;
/// Most guests of a session that are remembered.
const MOST_GUESTS: u32 = 500;
/// Most connections of one kind that all guests of a session together may have: an agent serves 64 viewers of a terminal,
/// of which some must be left to the owner.
const MOST: usize = 48;
/// Most connections of one kind that one guest may have: so many tabs.
const MOST_EACH: usize = 4;
/// Most connections that all guests of a session together may have.
const MOST_IN_ALL: usize = 800;
/// How often it is told that someone types.
const TYPING: Duration = Duration::from_secs(1);

/// Someone who is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who it is.
    pub who: Who,
    /// Number within the session: 0 is the owner's, guests count from 1.
    pub number: u32,
    /// What they go by.
    pub name: String,
    /// What they may do.
    pub right: Right,
    /// The terminal in front of them.
    pub terminal: Option<(NodeName, String)>,
}

/// What a guest may have several of, but not any number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A stream of the session's events.
    Events,
    /// A stream of its X-ray.
    Xray,
    /// A view of a terminal.
    Terminal(NodeName, String),
}

/// Who is there. See the module.
#[derive(Debug, Default)]
pub(super) struct Company(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Number of the last connection, and of the last change of one.
    last: u64,
    /// One for each page that is open, by the number of its connection.
    pages: Vec<Page>,
    places: HashMap<Place, Vec<GuestId>>,
    typed: HashMap<u32, Instant>,
}

#[derive(Debug)]
struct Page {
    connection: u64,
    /// Rises with what is said: of several pages of one person the one that spoke last counts.
    said: u64,
    person: Person,
}

impl Company {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    /// A page of `who` opens. They are there until what this gives is dropped.
    ///
    /// # Errors
    /// When the store fails, also where the share is not there any more.
    pub fn arrive(&self, live: &Arc<Live>, who: Who, came: Option<(ShareId, Right)>) -> Result<Presence, StoreError> {
        let (number, name, right) = match (who, came) {
            (Who::Guest(id), Some((share, right))) => {
                let known = self.store().note_guest(id, share, MOST_GUESTS)?;
                (known.number, known.name, right)
            }
            _ => (0, String::new(), Right::Own),
        };
        let (connection, number) = {
            let mut state = live.company.lock();
            state.last += 1;
            // Those beyond what is remembered would all have the next number.
            let taken = |n| state.pages.iter().any(|p| p.person.number == n && p.person.who != who);
            let number = (number..).find(|n| !taken(*n)).unwrap_or(number);
            let name = if name.is_empty() { usual_name(number) } else { name };
            let person = Person { who, number, name, right, terminal: None };
            let connection = state.last;
            state.pages.push(Page { connection, said: 0, person });
            (connection, number)
        };
        live.emit(Event::People);
        Ok(Presence { sessions: self.clone(), live: live.clone(), who, number, connection })
    }
}

impl Live {
    /// Who is there now: the owner first, then guests in the order of their numbers.
    pub fn people(&self) -> Vec<Person> {
        let state = self.company.lock();
        let mut pages: Vec<&Page> = state.pages.iter().collect();
        // Of one person's pages the one that spoke last comes first, and the others go.
        pages.sort_by_key(|p| (p.person.number, std::cmp::Reverse(p.said)));
        pages.dedup_by_key(|p| p.person.who);
        pages.into_iter().map(|p| p.person.clone()).collect()
    }

    /// Takes a place for a guest's connection; none where there are too many. An owner always has one.
    pub fn take_place(self: &Arc<Self>, who: Who, place: Place) -> Option<PlaceTaken> {
        if let Who::Guest(guest) = who {
            let mut state = self.company.lock();
            if state.places.values().map(Vec::len).sum::<usize>() >= MOST_IN_ALL {
                return None;
            }
            let taken = state.places.entry(place.clone()).or_default();
            if taken.len() >= MOST || taken.iter().filter(|g| **g == guest).count() >= MOST_EACH {
                return None;
            }
            taken.push(guest);
        }
        Some(PlaceTaken { live: self.clone(), who, place })
    }

    /// Notes that someone types, so that others see who it is.
    pub fn typed(&self, who: Who) {
        let mut state = self.company.lock();
        if state.pages.len() < 2 {
            return;
        }
        let Some(number) = state.pages.iter().find(|p| p.person.who == who).map(|p| p.person.number) else { return };
        if state.typed.get(&number).is_some_and(|at| at.elapsed() < TYPING) {
            return;
        }
        state.typed.insert(number, Instant::now());
        drop(state);
        self.emit(Event::Typing(number));
    }
}

/// A page that is open. Its person has left when the last of theirs is dropped.
pub struct Presence {
    sessions: Sessions,
    live: Arc<Live>,
    who: Who,
    number: u32,
    connection: u64,
}

impl Presence {
    /// Number of the person within the session.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What the page says of its person: a name, and which terminal is in front. What is left out stays as it was.
    ///
    /// # Errors
    /// When the store fails.
    pub fn say(&self, name: Option<&str>, terminal: Option<(NodeName, String)>) -> Result<(), StoreError> {
        let name = name.map(|n| plain(n, LONGEST_NAME));
        {
            let mut state = self.live.company.lock();
            state.last += 1;
            let said = state.last;
            let Some(page) = state.pages.iter_mut().find(|p| p.connection == self.connection) else { return Ok(()) };
            let before = page.person.clone();
            match &name {
                Some(name) if name.is_empty() => page.person.name = usual_name(self.number),
                Some(name) => page.person.name.clone_from(name),
                None => {}
            }
            if terminal.is_some() {
                page.person.terminal = terminal;
            }
            page.said = said;
            if page.person == before {
                return Ok(());
            }
        }
        if let (Some(name), Who::Guest(id)) = (&name, self.who) {
            self.sessions.store().name_guest(id, name)?;
        }
        self.live.emit(Event::People);
        Ok(())
    }
}

/// What a person goes by who has not said.
fn usual_name(number: u32) -> String {
    if number == 0 { "Owner".into() } else { format!("Guest {number}") }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.live.company.lock().pages.retain(|p| p.connection != self.connection);
        self.live.emit(Event::People);
    }
}

/// A place that a connection has, until it is dropped.
pub struct PlaceTaken {
    live: Arc<Live>,
    who: Who,
    place: Place,
}

impl Drop for PlaceTaken {
    fn drop(&mut self) {
        let Who::Guest(guest) = self.who else { return };
        let mut state = self.live.company.lock();
        if let Some(taken) = state.places.get_mut(&self.place) {
            if let Some(at) = taken.iter().position(|g| *g == guest) {
                taken.swap_remove(at);
            }
            if taken.is_empty() {
                state.places.remove(&self.place);
            }
        }
    }
}
