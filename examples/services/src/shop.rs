//! Owns [`Shop`]: inventory, payment and shipping, three HTTP services with failures on demand.
//!
//! An order says itself how it fails: the item `sold-out` (409), the card `declined` (402), the delivery
//! `impossible` (422), the delivery `flaky` (503 twice, then it works). Every request names its effect in
//! the header `Idempotency-Key`.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::ledger::{Effect, Ledger, Recorded};

/// The header that names an effect.
const KEY: &str = "idempotency-key";

/// How often a flaky delivery fails before it works.
const FLAKY_FAILURES: u32 = 2;

/// Orders whose failed attempts are counted; the count of later ones begins anew.
const FLAKY_ORDERS_MAX: usize = 100_000;

/// The running services. Dropping it ends them.
#[derive(Debug)]
pub struct Shop {
    /// Where the inventory listens.
    pub inventory: SocketAddr,
    /// Where payment listens.
    pub payment: SocketAddr,
    /// Where shipping listens.
    pub shipping: SocketAddr,
    _serving: Vec<AbortOnDropHandle<()>>,
}

/// What all services share.
#[derive(Clone)]
struct Desk {
    ledger: Ledger,
    latency: Duration,
    flaky: Arc<Mutex<HashMap<String, u32>>>,
}

/// What a request says. Services take from it what concerns them.
#[derive(Debug, Deserialize)]
struct Order {
    order: String,
    #[serde(default)]
    item: String,
    #[serde(default)]
    card: String,
    #[serde(default)]
    delivery: String,
}

impl Shop {
    /// Opens the services on loopback, at `port` and the two above it, or at any free ones for 0. Each
    /// takes at least `latency` to answer.
    ///
    /// # Errors
    /// If a port is taken.
    pub async fn open(port: u16, latency: Duration, ledger: Ledger) -> io::Result<Shop> {
        let desk = Desk {
            ledger,
            latency,
            flaky: Arc::default(),
        };
        let inventory = Router::new()
            .route("/reserve", post(reserve))
            .route("/release", post(release));
        let payment = Router::new()
            .route("/charge", post(charge))
            .route("/refund", post(refund));
        let shipping = Router::new().route("/ship", post(ship));
        let (mut addresses, mut serving) = (Vec::new(), Vec::new());
        for (number, routes) in [inventory, payment, shipping].into_iter().enumerate() {
            let port = if port == 0 {
                0
            } else {
                port.saturating_add(number as u16)
            };
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            addresses.push(listener.local_addr()?);
            let routes = routes
                .route("/effects", get(effects))
                .with_state(desk.clone());
            serving.push(AbortOnDropHandle::new(tokio::spawn(async move {
                // It ends only when it is dropped.
                let _ = axum::serve(listener, routes).await;
            })));
        }
        Ok(Shop {
            inventory: addresses[0],
            payment: addresses[1],
            shipping: addresses[2],
            _serving: serving,
        })
    }

    /// The addresses as the input of a workflow names them.
    #[must_use]
    pub fn addresses(&self) -> Value {
        json!({
            "inventory": format!("http://{}", self.inventory),
            "payment": format!("http://{}", self.payment),
            "shipping": format!("http://{}", self.shipping),
        })
    }
}

async fn reserve(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Json(order): Json<Order>,
) -> Response {
    if order.item == "sold-out" {
        return desk
            .refuse(StatusCode::CONFLICT, "the item is sold out")
            .await;
    }
    let answer = json!({"reservation": format!("res-{}", order.order)});
    desk.act(("inventory", "reserve"), &headers, &order, answer)
        .await
}

async fn release(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Json(order): Json<Order>,
) -> Response {
    desk.act(
        ("inventory", "release"),
        &headers,
        &order,
        json!({"released": true}),
    )
    .await
}

async fn charge(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Json(order): Json<Order>,
) -> Response {
    if order.card == "declined" {
        return desk
            .refuse(StatusCode::PAYMENT_REQUIRED, "the card was declined")
            .await;
    }
    let answer = json!({"payment": format!("pay-{}", order.order)});
    desk.act(("payment", "charge"), &headers, &order, answer)
        .await
}

async fn refund(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Json(order): Json<Order>,
) -> Response {
    desk.act(
        ("payment", "refund"),
        &headers,
        &order,
        json!({"refunded": true}),
    )
    .await
}

async fn ship(State(desk): State<Desk>, headers: HeaderMap, Json(order): Json<Order>) -> Response {
    if order.delivery == "impossible" {
        return desk
            .refuse(StatusCode::UNPROCESSABLE_ENTITY, "nobody delivers there")
            .await;
    }
    if order.delivery == "flaky" && desk.fails_again(&order.order) {
        return desk
            .refuse(StatusCode::SERVICE_UNAVAILABLE, "all vans are out")
            .await;
    }
    let answer = json!({"parcel": format!("par-{}", order.order)});
    desk.act(("shipping", "ship"), &headers, &order, answer)
        .await
}

async fn effects(State(desk): State<Desk>) -> Json<Vec<Effect>> {
    Json(desk.ledger.effects())
}

impl Desk {
    async fn act(
        &self,
        what: (&str, &str),
        headers: &HeaderMap,
        order: &Order,
        answer: Value,
    ) -> Response {
        let Some(key) = headers
            .get(KEY)
            .and_then(|key| key.to_str().ok())
            .filter(|key| !key.is_empty())
        else {
            return self
                .refuse(
                    StatusCode::BAD_REQUEST,
                    "the header Idempotency-Key is missing",
                )
                .await;
        };
        tokio::time::sleep(self.latency).await;
        match self.ledger.record(what, &order.order, key, answer) {
            Ok(Recorded::New(effect)) => {
                println!(
                    "effect {} {} {} {}",
                    effect.number, effect.service, effect.action, effect.subject
                );
                Json(effect.answer).into_response()
            }
            Ok(Recorded::Again(effect)) => Json(effect.answer).into_response(),
            Err(error) => {
                self.refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
                    .await
            }
        }
    }

    async fn refuse(&self, status: StatusCode, title: &str) -> Response {
        tokio::time::sleep(self.latency).await;
        (
            status,
            Json(json!({"status": status.as_u16(), "title": title})),
        )
            .into_response()
    }

    fn fails_again(&self, order: &str) -> bool {
        let mut flaky = self.flaky.lock().unwrap_or_else(PoisonError::into_inner);
        if flaky.len() >= FLAKY_ORDERS_MAX {
            flaky.clear();
        }
        let failures = flaky.entry(order.to_owned()).or_default();
        *failures += 1;
        *failures <= FLAKY_FAILURES
    }
}
