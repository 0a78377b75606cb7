//! The workers we ship: http.
