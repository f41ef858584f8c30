//! Modes of a terminal as ssh carries them (RFC 4254, section 8; RFC 8160).

use std::os::fd::AsFd;

use nix::sys::termios::{
    InputFlags as I, LocalFlags as L, OutputFlags as O, SetArg, SpecialCharacterIndices as C, Termios, tcgetattr,
    tcsetattr,
};

const CHARACTERS: [(u8, C); 13] = [
    (1, C::VINTR),
    (2, C::VQUIT),
    (3, C::VERASE),
    (4, C::VKILL),
    (5, C::VEOF),
    (6, C::VEOL),
    (7, C::VEOL2),
    (8, C::VSTART),
    (9, C::VSTOP),
    (10, C::VSUSP),
    (12, C::VREPRINT),
    (13, C::VWERASE),
    (14, C::VLNEXT),
];
const INPUT: [(u8, I); 12] = [
    (30, I::IGNPAR),
    (31, I::PARMRK),
    (32, I::INPCK),
    (33, I::ISTRIP),
    (34, I::INLCR),
    (35, I::IGNCR),
    (36, I::ICRNL),
    (38, I::IXON),
    (39, I::IXANY),
    (40, I::IXOFF),
    (41, I::IMAXBEL),
    (42, I::IUTF8),
];
const LOCAL: [(u8, L); 11] = [
    (50, L::ISIG),
    (51, L::ICANON),
    (53, L::ECHO),
    (54, L::ECHOE),
    (55, L::ECHOK),
    (56, L::ECHONL),
    (57, L::NOFLSH),
    (58, L::TOSTOP),
    (59, L::IEXTEN),
    (60, L::ECHOCTL),
    (61, L::ECHOKE),
];
const OUTPUT: [(u8, O); 5] = [(70, O::OPOST), (72, O::ONLCR), (73, O::OCRNL), (74, O::ONOCR), (75, O::ONLRET)];

/// The value by which ssh says that a character is not in use; Linux says 0.
const DISABLED: u32 = 255;

/// Gives a terminal the modes of its user's own, as far as they are known here. One that takes none keeps its own.
pub fn apply(terminal: &impl AsFd, modes: &[(u8, u32)]) {
    let Ok(mut settings) = tcgetattr(terminal) else { return };
    for (mode, value) in modes.iter().take(256) {
        set(&mut settings, *mode, *value);
    }
    let _ = tcsetattr(terminal, SetArg::TCSANOW, &settings);
}

fn set(settings: &mut Termios, mode: u8, value: u32) {
    let on = value != 0;
    if let Some((_, at)) = CHARACTERS.iter().find(|(m, _)| *m == mode) {
        let value = if value == DISABLED { 0 } else { value };
        settings.control_chars[*at as usize] = value as libc::cc_t;
    } else if let Some((_, flag)) = INPUT.iter().find(|(m, _)| *m == mode) {
        settings.input_flags.set(*flag, on);
    } else if let Some((_, flag)) = LOCAL.iter().find(|(m, _)| *m == mode) {
        settings.local_flags.set(*flag, on);
    } else if let Some((_, flag)) = OUTPUT.iter().find(|(m, _)| *m == mode) {
        settings.output_flags.set(*flag, on);
    }
}
