//! `org.varlink.service`: what `varlinkctl info` and `varlinkctl introspect` ask.

use protocol::call::{Call, Fault};
use protocol::wire;

wire! {
    /// Names the service.
    method "org.varlink.service" GetInfo {} ->
    /// Who answers.
    GetInfoReply {
        /// The project.
        vendor: String,
        /// The program.
        product: String,
        /// Its release.
        version: String,
        /// Where to read more.
        url: String,
        /// What can be called here.
        interfaces: Vec<String>,
    }

    /// Describes an interface.
    method "org.varlink.service" GetInterfaceDescription {
        /// Which.
        interface: String,
    } ->
    /// Its description.
    GetInterfaceDescriptionReply {
        /// In varlink's interface language.
        description: String,
    }
}

/// Answers a call of `org.varlink.service`; none if it is not one. `known` are the interfaces and their descriptions.
pub(super) fn answer(call: &Call<'_>, known: &[(&str, &str)]) -> Option<Result<serde_json::Value, Fault>> {
    match call.method.as_ref() {
        "org.varlink.service.GetInfo" => Some(Ok(value(&GetInfoReply {
            vendor: "mfad".to_owned(),
            product: "mfad".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            url: String::new(),
            interfaces: std::iter::once("org.varlink.service")
                .chain(known.iter().map(|(interface, _)| *interface))
                .map(str::to_owned)
                .collect(),
        }))),
        "org.varlink.service.GetInterfaceDescription" => {
            let asked = match call.parameters::<GetInterfaceDescription>() {
                Ok(asked) => asked,
                Err(fault) => return Some(Err(fault)),
            };
            let Some((_, description)) = known.iter().find(|(interface, _)| *interface == asked.interface)
            else {
                return Some(Err(Fault::InvalidParameter));
            };
            let description = (*description).to_owned();
            Some(Ok(value(&GetInterfaceDescriptionReply { description })))
        }
        _ => None,
    }
}

fn value<T: serde::Serialize>(reply: &T) -> serde_json::Value {
    serde_json::to_value(reply).unwrap_or_default()
}
