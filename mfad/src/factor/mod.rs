//! The factors: pure. One file a factor; what it keeps in the account, and how an answer is compared.

pub mod mailed;
