//! Tests that drive the real binary from outside.
