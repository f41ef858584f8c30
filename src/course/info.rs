//! The info string of a fenced block: the language, then options.

use super::{DEFAULT_NODE, DEFAULT_TERMINAL, is_id};

/// What a fenced block is, by its info string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// A command that is copied, and by a click typed into a terminal.
    Command(Command),
    /// What a command prints.
    Output,
    /// A file that a click writes.
    File { language: String, path: String, node: String },
    /// The step's checks, in YAML.
    Checks,
    /// A quiz, in YAML.
    Quiz,
    /// Any other text with a fixed layout.
    Code { language: String },
}

/// How a command block behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub node: String,
    pub terminal: String,
    /// Whether a click types it; otherwise it can only be copied.
    pub run: bool,
    /// Whether a click also presses Enter after it.
    pub enter: bool,
    /// Whether it is the step's solution, folded on the page.
    pub solution: bool,
}

impl Block {
    /// Reads an info string.
    ///
    /// # Errors
    /// What is wrong, in words for the author.
    pub fn parse(info: &str) -> Result<Block, String> {
        let mut words = info.split_whitespace();
        let language = words.next().unwrap_or_default().to_owned();
        let options = Options::parse(words)?;
        let shell = matches!(language.as_str(), "sh" | "bash" | "shell");
        if let Some(path) = options.value("file") {
            options.only(&[], &["file", "node"])?;
            if !path.starts_with('/') || path.ends_with('/') || path.split('/').any(|part| part == "..") {
                return Err(format!("`file={path}`: a file block needs an absolute path, such as `/root/app/app.py`"));
            }
            return Ok(Block::File { language, path: path.to_owned(), node: options.id("node", DEFAULT_NODE)? });
        }
        if options.has("output") {
            options.only(&["output"], &[])?;
            return Ok(Block::Output);
        }
        for (flag, block) in [("check", Block::Checks), ("quiz", Block::Quiz)] {
            if options.has(flag) {
                options.only(&[flag], &[])?;
                return if language == "yaml" {
                    Ok(block)
                } else {
                    Err(format!("checks and quizzes are in YAML: write `yaml {flag}`"))
                };
            }
        }
        if shell {
            return options.command().map(Block::Command);
        }
        if options.has("run") || options.has("solution") {
            return Err(format!("a command block begins with `sh`, not `{language}`"));
        }
        options.only(&[], &[])?;
        Ok(Block::Code { language })
    }
}

struct Options<'a> {
    flags: Vec<&'a str>,
    values: Vec<(&'a str, &'a str)>,
}

impl<'a> Options<'a> {
    fn parse(words: impl Iterator<Item = &'a str>) -> Result<Options<'a>, String> {
        let mut options = Options { flags: Vec::new(), values: Vec::new() };
        for word in words {
            let key = word.split('=').next().unwrap_or(word);
            if options.has(key) || options.value(key).is_some() {
                return Err(format!("`{key}` stands twice"));
            }
            match word.split_once('=') {
                Some((key, value)) => options.values.push((key, value)),
                None => options.flags.push(word),
            }
        }
        Ok(options)
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }

    fn value(&self, key: &str) -> Option<&'a str> {
        self.values.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)
    }

    fn id(&self, key: &str, default: &str) -> Result<String, String> {
        match self.value(key) {
            None => Ok(default.to_owned()),
            Some(value) if is_id(value) => Ok(value.to_owned()),
            Some(value) => Err(format!("`{key}={value}`: use lower-case letters, digits and hyphens")),
        }
    }

    fn only(&self, flags: &[&str], keys: &[&str]) -> Result<(), String> {
        for flag in &self.flags {
            if keys.contains(flag) {
                return Err(format!("`{flag}` needs a value: `{flag}=…`"));
            }
            if !flags.contains(flag) {
                return Err(unknown(flag, flags, keys));
            }
        }
        for (key, value) in &self.values {
            if flags.contains(key) {
                return Err(format!("`{key}` takes no value, but here is `{key}={value}`"));
            }
            if !keys.contains(key) {
                return Err(unknown(key, flags, keys));
            }
        }
        Ok(())
    }

    fn command(&self) -> Result<Command, String> {
        let (run, solution) = (self.has("run"), self.has("solution"));
        if run && solution {
            return Err("a block is either `run` or `solution`".to_owned());
        }
        if run || solution {
            self.only(&["run", "solution", "no-enter"], &["terminal", "node"])?;
        } else {
            self.only(&[], &[]).map_err(|e| format!("{e}; a block that a click types is `sh run`"))?;
        }
        Ok(Command {
            node: self.id("node", DEFAULT_NODE)?,
            terminal: self.id("terminal", DEFAULT_TERMINAL)?,
            run: run || solution,
            enter: !self.has("no-enter"),
            solution,
        })
    }
}

fn unknown(word: &str, flags: &[&str], keys: &[&str]) -> String {
    let mut known: Vec<String> = flags.iter().map(|f| format!("`{f}`")).collect();
    known.extend(keys.iter().map(|k| format!("`{k}=…`")));
    match known.as_slice() {
        [] => format!("`{word}` is no option of this block"),
        _ => format!("`{word}` is no option of this block; there are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(info: &str) -> Command {
        match Block::parse(info) {
            Ok(Block::Command(command)) => command,
            other => panic!("{info}: {other:?}"),
        }
    }

    #[test]
    fn tells_blocks_apart() {
        assert!(command("sh run").run && !command("sh").run);
        assert_eq!(command("sh run").terminal, "main");
        let build = command("bash run terminal=build node=node2 no-enter");
        assert_eq!((build.terminal.as_str(), build.node.as_str(), build.enter), ("build", "node2", false));
        assert!(command("sh solution").solution);
        assert_eq!(Block::parse("text output"), Ok(Block::Output));
        assert_eq!(Block::parse("yaml check"), Ok(Block::Checks));
        assert_eq!(Block::parse("yaml quiz"), Ok(Block::Quiz));
        assert_eq!(Block::parse(""), Ok(Block::Code { language: String::new() }));
        assert_eq!(
            Block::parse("sh file=/root/run.sh"),
            Ok(Block::File { language: "sh".into(), path: "/root/run.sh".into(), node: "node1".into() })
        );
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (info, part) in [
            ("sh rum", "`rum` is no option"),
            ("sh terminal=x", "sh run"),
            ("sh run solution", "either"),
            ("sh run run", "twice"),
            ("sh run terminal", "needs a value"),
            ("sh run terminal=A_b", "lower-case"),
            ("python run", "begins with `sh`"),
            ("python file=app.py", "absolute"),
            ("python file=/a/../b", "absolute"),
            ("json check", "YAML"),
            ("yaml check now", "`now`"),
        ] {
            let error = Block::parse(info).unwrap_err();
            assert!(error.contains(part), "{info}: {error}");
        }
    }
}
