//! The language that a login from outside brings with it.

use std::path::Path;

const FOLDER: &str = "/usr/lib/locale";

/// Whether a variable may be set: one that names a language which the lab image lacks would only have every program complain.
pub fn suits(name: &str, value: &str) -> bool {
    !(name == "LANG" || name == "LANGUAGE" || name.starts_with("LC_")) || is_there(Path::new(FOLDER), value)
}

fn is_there(folder: &Path, value: &str) -> bool {
    if value.is_empty() || value.contains('/') {
        return false;
    }
    if matches!(value, "C" | "POSIX") {
        return true;
    }
    // As the C library spells it: `de_DE.UTF-8` lies in `de_DE.utf8`.
    let (language, codeset) = value.split_once('.').unwrap_or((value, ""));
    let codeset: String = codeset.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let folders = [value.to_owned(), format!("{language}.{codeset}")];
    folders.iter().any(|f| folder.join(f).is_dir()) || folder.join("locale-archive").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_that_is_not_there_is_left_out() {
        let folder = std::env::temp_dir().join(format!("boatyard-locale-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("C.utf8")).unwrap();
        for (value, there) in [
            ("C", true),
            ("C.UTF-8", true),
            ("C.utf8", true),
            ("de_DE.UTF-8", false),
            ("UTF-8", false),
            ("", false),
            ("../C.utf8", false),
        ] {
            assert_eq!(is_there(&folder, value), there, "{value}");
        }
        std::fs::write(folder.join("locale-archive"), "").unwrap();
        assert!(is_there(&folder, "de_DE.UTF-8"));
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(suits("TERM", "anything"));
    }
}
