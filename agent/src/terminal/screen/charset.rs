//! National character sets and line drawing: what ASCII stands for while one is in use.

/// A set by its final byte, as in `ESC ( 0`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Charset(u8);

const SETS: [(&[u8], &str, &str); 11] = [
    (b"0", "`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"),
    (b"A", "#", "£"),
    (b"4", "#@[\\]{|}~", "£¾i½|¨f¼´"),
    (b"C5", "[\\]^`{|}~", "ÄÖÅÜéäöåü"),
    (b"R", "#@[\\]{|}~", "£à°ç§éùè¨"),
    (b"Q", "@[\\]^`{|}~", "àâçêîôéùèû"),
    (b"K", "@[\\]{|}~", "§ÄÖÜäöüß"),
    (b"Y", "#@[\\]`{|}~", "£§°çéùàòèì"),
    (b"E6", "@[\\]^`{|}~", "ÄÆØÅÜäæøåü"),
    (b"Z", "#@[\\]{|}", "£§¡Ñ¿°ñç"),
    (b"H7", "@[\\]^`{|}~", "ÉÄÖÅÜéäöåü"),
];

const SWISS: (&str, &str) = ("#@[\\]^_`{|}~", "ùàéçêîèôäöüû");

impl Charset {
    /// The set of a final byte: the inner none for ASCII, the outer for a set that is not known.
    pub fn of(last: u8) -> Option<Option<Charset>> {
        match last {
            b'B' => Some(None),
            b'=' => Some(Some(Charset(last))),
            _ => SETS.iter().any(|s| s.0.contains(&last)).then_some(Some(Charset(last))),
        }
    }

    /// Its final byte.
    pub fn last(self) -> u8 {
        self.0
    }

    /// What a character stands for.
    pub fn map(self, char: u8) -> u32 {
        let (from, to) = if self.0 == b'=' {
            SWISS
        } else {
            SETS.iter().find(|s| s.0.contains(&self.0)).map_or(("", ""), |s| (s.1, s.2))
        };
        let at = from.bytes().position(|b| b == char);
        at.and_then(|at| to.chars().nth(at)).map_or(char.into(), u32::from)
    }
}
