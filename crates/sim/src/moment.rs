//! Owns the asking of something asynchronous without a runtime.
//!
//! Invariant: nobody waits. What is not ready now is not there.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The outcome of a future if it is ready at once.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}
