//! Written by its owner.
fn main() {}
