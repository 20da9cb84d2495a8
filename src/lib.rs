//! Millstream: streaming SQL in one binary.
