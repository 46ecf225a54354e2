//! stub
#![forbid(unsafe_code)]
pub mod address;
pub mod deliver;
