//! Variables in a Compose file (`${PORT:-8080}`), as far as they have a value of their own: nobody sets any here.

/// Longest text in which variables are looked for: defaults lie within each other.
const LONGEST: usize = 1000;

/// The text with each variable replaced by its default, or by nothing. `$$` is a dollar.
pub(super) fn interpolate(text: &str) -> String {
    if text.len() > LONGEST {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if rest.starts_with('{') {
            let end = closing(rest).unwrap_or(rest.len());
            let inside = &rest[1..end];
            let name = inside.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            let default = inside[name..].strip_prefix(":-").or_else(|| inside[name..].strip_prefix('-'));
            out.push_str(&default.map(interpolate).unwrap_or_default());
            rest = rest.get(end + 1..).unwrap_or_default();
        } else {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        }
    }
    out.push_str(rest);
    out
}

/// Where the brace that `text` begins with is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, b) in text.bytes().enumerate() {
        match b {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::interpolate;

    #[test]
    fn defaults_stand_for_variables() {
        for (text, is) in [
            ("nginx", "nginx"),
            ("${TAG:-1.0}", "1.0"),
            ("app:${TAG-${OTHER:-2}}!", "app:2!"),
            ("$PORT:80", ":80"),
            ("${A:?must be set}b", "b"),
            ("$$5", "$5"),
            ("${open", ""),
            ("é${A:-ü}", "éü"),
        ] {
            assert_eq!(interpolate(text), is, "{text}");
        }
    }
}
