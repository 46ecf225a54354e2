//! The silent panic hook. Under sudo and su, standard error is the user's terminal, and the default hook would print
//! there, with a backtrace if the *user's* environment asks for it. pam-bindings catches the panic: PAM_ABORT.

/// Installs the hook. It is this library's own: a shared library has a standard library to itself.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|_| {}));
}
