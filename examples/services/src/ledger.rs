//! Owns [`Ledger`]: what really happened, in the order in which it did, across all services.
//!
//! Invariant: a key has one effect; a second request with it is counted and gets the first answer. The
//! file has one line for every request, so nothing is forgotten when the services start again.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most effects of one ledger; examples have dozens.
const EFFECTS_MAX: usize = 1_000_000;

/// Something that happened in the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// From 1, in the order in which effects happened.
    pub number: u64,
    /// Where: inventory, payment, shipping or statements.
    pub service: String,
    /// What: reserve, release, charge, refund, ship or render.
    pub action: String,
    /// For whom: an order or an account.
    pub subject: String,
    /// What the caller named it by.
    pub key: String,
    /// What the caller was answered.
    pub answer: Value,
    /// How often it was asked for again.
    #[serde(default)]
    pub repeats: u64,
}

/// What asking for an effect did.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// It happened now.
    New(Effect),
    /// It had happened before.
    Again(Effect),
}

/// All effects. Cloning is cheap and shares them.
#[derive(Clone, Debug)]
pub struct Ledger {
    book: Arc<Mutex<Book>>,
}

#[derive(Debug)]
struct Book {
    effects: Vec<Effect>,
    file: Option<File>,
}

impl Ledger {
    /// An empty ledger that is forgotten with the process.
    #[must_use]
    pub fn in_memory() -> Ledger {
        Ledger {
            book: Arc::new(Mutex::new(Book {
                effects: Vec::new(),
                file: None,
            })),
        }
    }

    /// The ledger that a file holds; the file is made if it is missing.
    ///
    /// # Errors
    /// If the file cannot be read or written, or holds something else.
    pub fn open(path: &Path) -> io::Result<Ledger> {
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path)?;
        let mut effects: Vec<Effect> = Vec::new();
        for line in BufReader::new(&file).lines() {
            let effect: Effect = serde_json::from_str(&line?).map_err(io::Error::other)?;
            match effects.iter_mut().find(|known| known.key == effect.key) {
                Some(known) => known.repeats += 1,
                None => effects.push(effect),
            }
        }
        Ok(Ledger {
            book: Arc::new(Mutex::new(Book {
                effects,
                file: Some(file),
            })),
        })
    }

    /// Lets something happen, once for each key.
    ///
    /// # Errors
    /// If the ledger is full or its file cannot be written; then it has not happened.
    pub fn record(
        &self,
        (service, action): (&str, &str),
        subject: &str,
        key: &str,
        answer: Value,
    ) -> io::Result<Recorded> {
        let mut book = self.book();
        if let Some(at) = book.effects.iter().position(|effect| effect.key == key) {
            let known = book.effects[at].clone();
            book.append(&known)?;
            book.effects[at].repeats += 1;
            return Ok(Recorded::Again(book.effects[at].clone()));
        }
        if book.effects.len() >= EFFECTS_MAX {
            return Err(io::Error::other(format!(
                "the ledger is full: it holds {EFFECTS_MAX} effects"
            )));
        }
        let effect = Effect {
            number: book.effects.len() as u64 + 1,
            service: service.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            key: key.to_owned(),
            answer,
            repeats: 0,
        };
        book.append(&effect)?;
        book.effects.push(effect.clone());
        Ok(Recorded::New(effect))
    }

    /// All effects, oldest first.
    #[must_use]
    pub fn effects(&self) -> Vec<Effect> {
        self.book().effects.clone()
    }

    /// The actions for one subject, oldest first.
    #[must_use]
    pub fn actions(&self, subject: &str) -> Vec<String> {
        let book = self.book();
        let effects = book
            .effects
            .iter()
            .filter(|effect| effect.subject == subject);
        effects.map(|effect| effect.action.clone()).collect()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Every change is one push or one addition, so a panic elsewhere cannot have left half of one.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn append(&mut self, effect: &Effect) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let mut line = serde_json::to_vec(effect).map_err(io::Error::other)?;
        line.push(b'\n');
        file.write_all(&line)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CHARGE: (&str, &str) = ("payment", "charge");

    #[test]
    fn a_key_has_one_effect_even_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("effects.jsonl");
        let ledger = Ledger::open(&path).unwrap();
        let first = ledger
            .record(CHARGE, "o1", "o1:charge", json!({"payment": "pay-1"}))
            .unwrap();
        assert!(matches!(first, Recorded::New(ref effect) if effect.number == 1));
        drop(ledger);

        let ledger = Ledger::open(&path).unwrap();
        let again = ledger
            .record(CHARGE, "o1", "o1:charge", json!({"payment": "pay-2"}))
            .unwrap();
        let Recorded::Again(effect) = again else {
            panic!("it happened twice")
        };
        assert_eq!(
            (effect.answer, effect.repeats),
            (json!({"payment": "pay-1"}), 1)
        );
        drop(ledger);

        let ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.effects().len(), 1);
        assert_eq!(ledger.effects()[0].repeats, 1);
        assert_eq!(ledger.actions("o1"), ["charge"]);
    }
}
