//! Owns the runs of the demo: what each is given, and what must become of it.
//!
//! Invariant: the subjects of effects (orders, accounts) differ from run to run, so that every effect is
//! somebody's.

use serde_json::{Value, json};

/// The workflow that waits for people.
pub(super) const APPROVAL: &str = "approval";

/// Orders of each fate.
const ORDERS: [(Fate, usize); 5] = [
    (Fate::Well, 9),
    (Fate::Flaky, 3),
    (Fate::SoldOut, 2),
    (Fate::Declined, 3),
    (Fate::Impossible, 3),
];

/// Accounts of each nightly fan-out.
const ACCOUNTS: usize = 16;
/// Nights.
const NIGHTS: usize = 2;
/// Trips, each with two legs and an itinerary.
const TRIPS: usize = 3;

/// How an order goes.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Well,
    Flaky,
    SoldOut,
    Declined,
    Impossible,
}

/// A run of the demo.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// What it shows.
    pub(super) group: &'static str,
    /// The workflow.
    pub(super) workflow: &'static str,
    /// Its business key.
    pub(super) key: String,
    /// What it is given.
    pub(super) input: Value,
    /// How it must end.
    pub(super) state: &'static str,
    /// What its output must hold at least.
    pub(super) output: Value,
    /// What must have happened for whom, in this order.
    pub(super) effects: Vec<(String, &'static [&'static str])>,
}

impl Fate {
    fn group(self) -> &'static str {
        match self {
            Fate::Well => "orders that go well",
            Fate::Flaky => "orders that ship at the third attempt",
            Fate::SoldOut => "orders of what is sold out",
            Fate::Declined => "orders with a declined card",
            Fate::Impossible => "orders that nobody delivers",
        }
    }

    /// What the services of the shop go by.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Fate::Well => ("teapot", "visa", "van"),
            Fate::Flaky => ("teapot", "visa", "flaky"),
            Fate::SoldOut => ("sold-out", "visa", "van"),
            Fate::Declined => ("teapot", "declined", "van"),
            Fate::Impossible => ("teapot", "visa", "impossible"),
        }
    }

    fn effects(self) -> &'static [&'static str] {
        match self {
            Fate::Well | Fate::Flaky => &["reserve", "charge", "ship"],
            Fate::SoldOut => &[],
            Fate::Declined => &["reserve", "release"],
            Fate::Impossible => &["reserve", "charge", "refund", "release"],
        }
    }

    fn ends_well(self) -> bool {
        matches!(self, Fate::Well | Fate::Flaky)
    }
}

/// All runs; `shop` names the addresses of the services.
pub(super) fn parts(shop: &Value) -> Vec<Part> {
    let mut parts = Vec::new();
    for (fate, count) in ORDERS {
        for _ in 0..count {
            parts.push(order(fate, parts.len() + 1, shop));
        }
    }
    for (how, outcome, patience) in [
        ("approved", "approved", "PT10M"),
        ("rejected", "rejected", "PT10M"),
        ("overdue", "rejected", "PT2S"),
    ] {
        parts.push(Part {
            group: "approvals",
            workflow: APPROVAL,
            key: approval_key(how),
            input: json!({"subject": "a teapot", "patience": patience}),
            state: "completed",
            output: json!({"outcome": outcome}),
            effects: Vec::new(),
        });
    }
    parts.extend((1..=NIGHTS).map(night));
    parts.extend((1..=TRIPS).map(trip));
    parts
}

/// The business key of an approval.
pub(super) fn approval_key(how: &str) -> String {
    format!("approval-{how}")
}

fn order(fate: Fate, number: usize, shop: &Value) -> Part {
    let key = format!("order-{number}");
    let (item, card, delivery) = fate.words();
    let input = json!({
        "order": key, "item": item, "amount": 10 + number, "card": card, "delivery": delivery, "shop": shop,
    });
    let (state, output) = match fate.ends_well() {
        true => (
            "completed",
            json!({"payment": format!("pay-{key}"), "parcel": format!("par-{key}")}),
        ),
        false => ("failed", Value::Null),
    };
    let effects = vec![(key.clone(), fate.effects())];
    Part {
        group: fate.group(),
        workflow: "order-saga",
        key,
        input,
        state,
        output,
        effects,
    }
}

fn night(number: usize) -> Part {
    let accounts: Vec<String> = (1..=ACCOUNTS)
        .map(|account| format!("night-{number}-account-{account}"))
        .collect();
    Part {
        group: "nightly fan-outs",
        workflow: "nightly-fan-out",
        key: format!("night-{number}"),
        input: json!({"accounts": accounts}),
        state: "completed",
        output: json!({"statements": ACCOUNTS}),
        effects: accounts
            .into_iter()
            .map(|account| (account, &["render"][..]))
            .collect(),
    }
}

fn trip(number: usize) -> Part {
    Part {
        group: "trips with legs of their own",
        workflow: "trip",
        key: format!("trip-{number}"),
        input: json!({"traveller": "ada", "from": "London", "to": "Turin"}),
        state: "completed",
        output: json!({"seats": ["London-Turin", "Turin-London"]}),
        effects: Vec::new(),
    }
}
