//! What a playground's first terminal says before its first prompt. A lesson says it itself.

/// Lines short enough for a phone: the terminal is drawn before its first viewer comes. Commands are bold.
const WELCOME: &str = "\
Welcome! Try  \x1b[1mdocker run hello-world\x1b[0m
To pull:  all that /catalogue lists
To push:  \x1b[1mregistry.lab:5000/NAME\x1b[0m, your own

";

/// Command of a terminal that says it and then becomes root's login shell.
pub(super) fn command() -> Vec<String> {
    ["/bin/sh", "-c", r#"printf %s "$1"; exec "${SHELL:-/bin/sh}" -l"#, "welcome", WELCOME].map(str::to_owned).into()
}
