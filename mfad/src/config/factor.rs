//! The factors by their names: those that mfad knows by itself, and those that `[[hook]]` sections add.

use super::problem::Problem;
use super::suggest;
use super::tree::Node;
use super::values::text;

/// A kind of proof.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FactorKind {
    /// A code of an authenticator app (RFC 6238).
    Totp,
    /// A code of a counting token (RFC 4226).
    Hotp,
    /// A code that is mailed.
    Email,
    /// A code of the person's own list.
    Recovery,
    /// A code of an administrator.
    Bypass,
    /// The `[[hook]]` of this name, which exists.
    Hook(String),
}

impl FactorKind {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            FactorKind::Totp => "totp",
            FactorKind::Hotp => "hotp",
            FactorKind::Email => "email",
            FactorKind::Recovery => "recovery",
            FactorKind::Bypass => "bypass",
            FactorKind::Hook(name) => name,
        }
    }
}

const BUILT_IN: [(&str, FactorKind); 5] = [
    ("totp", FactorKind::Totp),
    ("hotp", FactorKind::Hotp),
    ("email", FactorKind::Email),
    ("recovery", FactorKind::Recovery),
    ("bypass", FactorKind::Bypass),
];

/// Words of later versions, and the one that stands for all hooks.
const RESERVED: [&str; 3] = ["hook", "http", "upstream"];

/// Whether a hook may not have this name.
pub(super) fn is_taken(name: &str) -> bool {
    BUILT_IN.iter().any(|(word, _)| *word == name) || RESERVED.contains(&name)
}

/// The default order: what proves best and costs nothing first, what was meant for bad days last.
pub(super) fn default_order(hooks: &[String]) -> Vec<FactorKind> {
    let mut order = vec![FactorKind::Totp, FactorKind::Hotp, FactorKind::Email];
    order.extend(hooks.iter().cloned().map(FactorKind::Hook));
    order.extend([FactorKind::Recovery, FactorKind::Bypass]);
    order
}

/// The name of a built-in factor or of one of these hooks.
pub(super) fn read(node: &Node, hooks: &[String]) -> Result<FactorKind, Problem> {
    let name = text(node)?;
    if let Some((_, kind)) = BUILT_IN.iter().find(|(word, _)| *word == name) {
        return Ok(kind.clone());
    }
    if hooks.iter().any(|hook| hook == name) {
        return Ok(FactorKind::Hook(name.to_owned()));
    }
    let names: Vec<&str> =
        BUILT_IN.iter().map(|(word, _)| *word).chain(hooks.iter().map(String::as_str)).collect();
    let listed = || format!("write one of {}", names.join(", "));
    if name == "hook" {
        let remedy = "write the name of a [[hook]] section instead";
        return Err(node.problem("a hook is named by its own name", remedy));
    }
    if RESERVED.contains(&name) {
        return Err(node.problem(format!("\"{name}\" is not in this version of mfad"), listed()));
    }
    let remedy = match suggest::nearest(name, &names) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("{}, or add a [[hook]] of this name", listed()),
    };
    Err(node.problem("no factor and no hook has this name", remedy))
}
