//! Seeded simulation of a partition on a faulty disk.
