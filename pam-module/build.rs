//! Linker flags of the module: it stays loaded, and it brings the unwinder along.
//!
//! Every login loads the module anew. Of the 160 µs that it took longer than a module in C, 150 µs went into
//! finding, mapping and relocating libgcc_s.so.1, which std asks for to unwind panics. Its static half, libgcc_eh.a,
//! comes with every gcc; a linker script of the shared one's name, found first, puts it in that place.
//! See docs/adr/0003-pam-bindings-and-one-file-of-ffi.md.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RUSTC_LINKER");
    // Unloading would leave std's thread-local destructors and the panic hook pointing into nothing.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    if static_unwinder().is_none() {
        println!(
            "cargo:warning=no libgcc_eh.a here: pam_mfad.so will load libgcc_s.so.1, 0.1 ms at each login"
        );
        return;
    }
    let directory = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(directory.join("libgcc_s.so"), "INPUT(-lgcc_eh -lgcc)\n").expect("OUT_DIR can be written");
    println!("cargo:rustc-link-search=native={}", directory.display());
}

/// Where the linker would find the static unwinder.
fn static_unwinder() -> Option<PathBuf> {
    if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() != Ok("gnu") {
        return None;
    }
    let compiler = std::env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let output = Command::new(compiler).arg("-print-file-name=libgcc_eh.a").output().ok()?;
    let found = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    // A compiler that does not have the file prints its bare name.
    (found.is_absolute() && Path::is_file(&found)).then_some(found)
}
