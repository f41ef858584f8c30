//! The screen model by itself, for tests of the front end: commands on standard input, repaints on standard output.
//! `n COLS ROWS` begins anew, `s COLS ROWS` resizes, `f N` is followed by N bytes of output, `p N` answers with a length
//! in four bytes and a repaint of at most about N bytes, then the bytes of an unfinished character.

#[path = "../src/terminal/screen/mod.rs"]
mod screen;

use std::io::{self, BufRead, Read, Write};

fn main() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut screen = screen::Screen::new(80, 24);
    let mut last = Vec::new();
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let mut words = line.split_whitespace();
        let command = words.next().unwrap_or_default();
        let numbers: Vec<usize> = words.filter_map(|w| w.parse().ok()).collect();
        match (command, numbers.as_slice()) {
            ("n", [cols, rows]) => screen = screen::Screen::new(*cols as u16, *rows as u16),
            ("s", [cols, rows]) => screen.resize(*cols as u16, *rows as u16),
            ("f", [n]) => {
                let mut bytes = vec![0; *n];
                input.read_exact(&mut bytes)?;
                screen.feed(&bytes);
                last.extend_from_slice(&bytes);
                last.drain(..last.len().saturating_sub(3));
            }
            ("p", [n]) => {
                let mut bytes = screen.repaint(*n);
                let held = screen.unfinished();
                assert_eq!(held, screen::unfinished(&last), "the end of the output, seen from both sides");
                bytes.extend_from_slice(&last[last.len() - held..]);
                output.write_all(&(bytes.len() as u32).to_le_bytes())?;
                output.write_all(&bytes)?;
                output.flush()?;
            }
            _ => return Err(io::Error::other(format!("no command: {line}"))),
        }
        line.clear();
    }
    Ok(())
}
