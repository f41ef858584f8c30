use super::*;

/// What a repaint shows, by way of a second model.
fn repainted(screen: &mut Screen, cols: u16, rows: u16) -> Screen {
    let mut fresh = Screen::new(cols, rows);
    fresh.feed(&screen.repaint(1 << 20));
    fresh
}

fn rows(screen: &Screen) -> Vec<String> {
    let term = &screen.term;
    let grid = if term.on_alternate { &term.alternate } else { &term.normal };
    let back = grid.back.iter().map(|p| p.unpack(term.cols));
    let text = |line: line::Line| {
        let mut text = String::new();
        for cell in line.cells.iter().take(term.cols) {
            if cell.has_content() {
                term.shared.text(*cell, &mut text)
            } else if cell.width() > 0 {
                text.push(' ')
            }
        }
        text.trim_end().to_owned()
    };
    back.chain(grid.rows.iter().cloned()).map(text).collect()
}

#[test]
fn a_screen_that_was_narrow_for_a_while_is_whole_again() {
    let mut screen = Screen::new(80, 24);
    let long = "a line that is longer than the window is for a while, and goes on to its end";
    for _ in 0..40 {
        screen.feed(format!("{long}\r\n").as_bytes());
    }
    screen.resize(30, 24);
    screen.resize(80, 24);
    let fresh = repainted(&mut screen, 80, 24);
    let text = rows(&fresh);
    assert_eq!(text.iter().filter(|row| *row == long).count(), 40, "{text:#?}");
}

#[test]
fn the_scrollback_comes_back_within_the_budget() {
    let mut screen = Screen::new(80, 24);
    for n in 0..20_000 {
        screen.feed(format!("line {n}\r\n").as_bytes());
    }
    let text = rows(&repainted(&mut screen, 80, 24));
    assert_eq!(text.len(), term::SCROLLBACK + 24);
    assert_eq!(text[text.len() - 2], "line 19999");
    let small = screen.repaint(10_000);
    assert!(small.len() < 11_000 && small.ends_with(b"line 19999\r\n\x1b[24;1H"), "{}", small.len());
}

#[test]
fn memory_has_a_bound() {
    // Every cell in a colour of its own, with a mark: the dearest lines there are.
    let mut screen = Screen::new(1000, 5);
    for n in 0..400_000u32 {
        screen.feed(format!("\x1b[38;2;{};{};{}me\u{301}", n >> 16, n >> 8 & 255, n & 255).as_bytes());
    }
    let packed: usize = screen.term.normal.back.iter().map(|line| line.bytes()).sum();
    assert!(packed <= 1 << 20, "{packed}");
    for n in 0..100_000u32 {
        screen.feed(format!("\x1b]8;;http://host/{n}\x07x").as_bytes());
        screen.feed(&[b'a'].into_iter().chain(format!("\u{300}{}", '\u{301}').bytes()).collect::<Vec<_>>());
    }
    assert!(!screen.repaint(1 << 20).is_empty());
}

#[test]
fn an_unfinished_sequence_is_carried_over() {
    for (before, after) in [
        (&b"\x1b[3"[..], &b"1mx"[..]),
        (b"\x1b]0;a ti", b"tle\x07x"),
        (b"\x1b[1\n", b"mx"),
        (b"\x1bPq#0", b";1\x1b\\x"),
        (b"e", b"\xcc\x81"),
    ] {
        let mut screen = Screen::new(20, 3);
        screen.feed(before);
        let mut fresh = repainted(&mut screen, 20, 3);
        screen.feed(after);
        fresh.feed(after);
        assert_eq!(fresh.repaint(1 << 20), screen.repaint(1 << 20), "{before:?} {after:?}");
    }
    // Too long to keep: what follows is swallowed up to the end of the string.
    let mut screen = Screen::new(20, 3);
    screen.feed(b"\x1b]52;c;");
    screen.feed(&b"QUJD".repeat(10_000));
    let mut fresh = repainted(&mut screen, 20, 3);
    fresh.feed(b"QUJD\x07x");
    assert_eq!(rows(&fresh)[0], "x");
}

#[test]
fn an_unfinished_character_is_left_to_the_output_that_follows() {
    let mut screen = Screen::new(20, 3);
    screen.feed(b"\x1b]0;a\xe2\x80");
    assert_eq!(screen.unfinished(), 2);
    assert!(screen.repaint(1 << 20).ends_with(b"\x1b]0;a"));
    screen.feed(b"\x94\x07\xe2\x80");
    let mut fresh = repainted(&mut screen, 20, 3);
    fresh.feed(b"\xe2\x80\x94");
    assert_eq!((fresh.term.title.as_str(), rows(&fresh)[0].as_str()), ("a\u{2014}", "\u{2014}"));
    for (bytes, n) in [
        (&b"ab"[..], 0),
        (b"a\xe2", 1),
        (b"a\xe2\x80", 2),
        (b"\xf0\x9f\x90", 3),
        (b"\xe2\x80\x94", 0),
        (b"\x80\x80", 0),
    ] {
        assert_eq!(unfinished(bytes), n, "{bytes:?}");
    }
}

mod hostile {
    use proptest::prelude::*;

    use super::*;

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let number =
            prop_oneof![Just(String::new()), (0u32..120).prop_map(|n| n.to_string()), Just("4294967295".into())];
        let csi = (prop::collection::vec(number, 0..4), "[?>!\" $]{0,2}", 0x40u8..0x7f)
            .prop_map(|(numbers, between, last)| format!("\x1b[{}{between}{}", numbers.join(";"), char::from(last)));
        prop_oneof![
            4 => csi.prop_map(String::into_bytes),
            1 => "\x1b[\\[\\]PX^_ (-/#%0-~]".prop_map(String::into_bytes),
            2 => prop::collection::vec(any::<u8>(), 0..40),
            2 => "[a-z漢字\u{300}-\u{310}🐳\r\n\t\x08]{0,60}".prop_map(String::into_bytes),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn nothing_makes_it_fail(steps in prop::collection::vec((piece(), prop::option::weighted(0.1, (2u16..130, 1u16..40))), 0..120)) {
            // Not through the guard, which would hide it.
            let mut screen = Screen::new(40, 10);
            for (bytes, size) in steps {
                screen.parser.advance(&bytes, &mut screen.term);
                if let Some((cols, rows)) = size {
                    screen.term.resize(cols, rows);
                }
                paint::paint(&screen.term, 1 << 16);
                for grid in [&screen.term.normal, &screen.term.alternate] {
                    prop_assert!(grid.rows.is_empty() || grid.rows.len() == screen.term.rows);
                    prop_assert!(grid.rows.iter().all(|row| row.cells.len() >= screen.term.cols));
                    prop_assert!(grid.y < screen.term.rows);
                }
            }
        }
    }
}
