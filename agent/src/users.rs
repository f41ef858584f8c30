//! Root's login, read from /etc/passwd and /etc/group: a static binary has no name service.

use std::path::Path;

/// What a login of root needs.
pub struct Login {
    /// User name.
    pub name: String,
    /// Home folder.
    pub home: String,
    /// Login shell, as /etc/passwd has it.
    pub shell: String,
}

/// Where programs are looked for.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Login {
    /// The login of user 0.
    pub fn root() -> Self {
        let passwd = read("/etc/passwd");
        let fields = passwd.lines().map(|l| l.split(':').collect::<Vec<_>>()).find(|f| f.len() >= 7 && f[2] == "0");
        let field = |i: usize, or: &str| match &fields {
            Some(f) if !f[i].is_empty() => f[i].to_owned(),
            _ => or.to_owned(),
        };
        let home = field(5, "/root");
        Self { name: field(0, "root"), home: if is_dir(&home) { home } else { "/".into() }, shell: field(6, "/bin/sh") }
    }

    /// A shell that is there, and what to tell the student when it is not the one in /etc/passwd.
    pub fn usable_shell(&self) -> (String, Option<String>) {
        let runs = |p: &str| nix::unistd::access(p, nix::unistd::AccessFlags::X_OK).is_ok();
        if runs(&self.shell) {
            return (self.shell.clone(), None);
        }
        match ["/bin/bash", "/bin/sh", "/bin/ash", "/bin/busybox"].into_iter().find(|p| runs(p)) {
            Some(p) => (p.to_owned(), Some(format!("{} is not there; this is {p}.", self.shell))),
            None => (self.shell.clone(), None),
        }
    }

    /// The environment of a login, without a terminal's variables.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut env = vec![
            ("PATH", PATH.to_owned()),
            ("HOME", self.home.clone()),
            ("USER", self.name.clone()),
            ("LOGNAME", self.name.clone()),
            ("SHELL", self.shell.clone()),
            ("LANG", "C.UTF-8".to_owned()),
        ];
        if let Ok(container) = std::env::var("container") {
            env.push(("container", container));
        }
        env
    }
}

/// Id of a group.
pub fn group(name: &str) -> Option<u32> {
    read("/etc/group").lines().find_map(|l| {
        let mut f = l.split(':');
        (f.next() == Some(name)).then(|| f.nth(1)?.parse().ok())?
    })
}

fn is_dir(path: &str) -> bool {
    Path::new(path).is_dir()
}

fn read(path: &str) -> String {
    std::fs::read(path).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
}
