//! The guides for every day.
