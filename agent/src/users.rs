//! Logins, read from /etc/passwd and /etc/group: a static binary has no name service.

use std::{
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, ExitCode},
    sync::OnceLock,
};

use nix::unistd::{Gid, Uid};

/// What a login needs.
pub struct Login {
    /// User name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Home folder.
    pub home: String,
    /// Login shell, as /etc/passwd has it.
    pub shell: String,
}

/// Where programs are looked for.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Hidden subcommand of the agent: see [`become_user`].
pub const BECOME: &str = "become";

/// Name of the user to whom terminals and commands belong.
static USER: OnceLock<String> = OnceLock::new();

/// Says once, at the start, whose terminals and commands they are.
pub fn choose(name: &str) {
    let _ = USER.set(name.to_owned());
}

impl Login {
    /// The login of user 0.
    pub fn root() -> Self {
        Self::find(|f| f[2] == "0").unwrap_or_else(|| Self::of_fields(&[]))
    }

    /// The login of the user to whom terminals and commands belong: root where none was chosen or is there.
    pub fn user() -> Self {
        USER.get().and_then(|name| Self::named(name)).unwrap_or_else(Self::root)
    }

    /// The login of a user.
    pub fn named(name: &str) -> Option<Self> {
        Self::find(|f| f[0] == name)
    }

    fn find(is: impl Fn(&[&str]) -> bool) -> Option<Self> {
        let passwd = read("/etc/passwd");
        let mut users = passwd.lines().map(|l| l.split(':').collect::<Vec<_>>());
        users.find(|f| f.len() >= 7 && f[2].parse::<u32>().is_ok() && is(f)).map(|f| Self::of_fields(&f))
    }

    fn of_fields(fields: &[&str]) -> Self {
        let field = |i: usize, or: &str| fields.get(i).filter(|f| !f.is_empty()).copied().unwrap_or(or).to_owned();
        let number = |i: usize| field(i, "0").parse().unwrap_or(0);
        let home = field(5, "/root");
        Self {
            name: field(0, "root"),
            uid: number(2),
            gid: number(3),
            home: if is_dir(&home) { home } else { "/".into() },
            shell: field(6, "/bin/sh"),
        }
    }

    /// Whether it is user 0.
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// Where the user's programs keep sockets and the like; root's keep them in /run.
    pub fn runtime_folder(&self) -> Option<String> {
        (!self.is_root()).then(|| format!("/run/user/{}", self.uid))
    }

    /// What makes a forked child this user's. Calls nothing but the system: allowed between fork and exec.
    pub fn takes_over(&self) -> impl Fn() -> io::Result<()> + Send + Sync + 'static {
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        let groups: Vec<Gid> = [gid].into_iter().chain(groups_of(&self.name)).collect();
        move || {
            nix::unistd::setgroups(&groups)?;
            nix::unistd::setgid(gid)?;
            Ok(nix::unistd::setuid(uid)?)
        }
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
    pub fn environment(&self) -> Vec<(String, String)> {
        let own = [
            ("PATH", PATH),
            ("HOME", &self.home),
            ("USER", &self.name),
            ("LOGNAME", &self.name),
            ("SHELL", &self.shell),
            ("LANG", "C.UTF-8"),
        ];
        let mut env: Vec<_> = own.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        env.extend(of_environment(&read("/etc/environment")));
        env.extend(self.runtime_folder().map(|folder| ("XDG_RUNTIME_DIR".into(), folder)));
        if let Ok(container) = std::env::var("container") {
            env.push(("container".into(), container));
        }
        env
    }
}

/// Becomes a user, and then the program of `args`: name, program, arguments. The terminal on its input becomes theirs.
pub fn become_user(args: &[String]) -> ExitCode {
    let [name, program, args @ ..] = args else { return ExitCode::from(2) };
    let Some(login) = Login::named(name) else {
        eprintln!("there is no user {name}");
        return ExitCode::from(126);
    };
    if nix::unistd::isatty(std::io::stdin()).unwrap_or(false) {
        // As login(1) does it: programs open their terminal by its path, too.
        let _ = std::os::unix::fs::fchown(std::io::stdin(), Some(login.uid), group("tty"));
    }
    let e = match login.takes_over()() {
        Ok(()) => Command::new(program).args(args).exec(),
        Err(e) => e,
    };
    eprintln!("{program}: {e}");
    ExitCode::from(127)
}

/// The variables in /etc/environment, which every login on an ordinary system has (pam_env(8)).
fn of_environment(text: &str) -> Vec<(String, String)> {
    let of = |line: &str| {
        let (name, value) = line.trim().trim_start_matches("export ").split_once('=')?;
        let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let value = value.trim().trim_matches(['"', '\'']);
        (named && !value.contains('\0')).then(|| (name.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(of).take(100).collect()
}

/// Groups that name a user as their member.
fn groups_of(user: &str) -> Vec<Gid> {
    let of = |line: &str| {
        let fields: Vec<_> = line.split(':').collect();
        let member = fields.get(3)?.split(',').any(|m| m == user);
        member.then(|| fields[2].parse().ok().map(Gid::from_raw)).flatten()
    };
    read("/etc/group").lines().filter_map(of).take(32).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_variables_of_every_login() {
        let text = "# all\n\nA=1\nexport B=\"x y\"\nno\n=c\n D = d\nE=-comp zstd -l 1\n";
        let env = of_environment(text);
        let env: Vec<_> = env.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(env, [("A", "1"), ("B", "x y"), ("E", "-comp zstd -l 1")]);
    }

    #[test]
    fn finds_users_by_name_and_root_by_number() {
        assert!(Login::root().is_root());
        assert_eq!(Login::root().runtime_folder(), None);
        let nobody = Login::named("nobody").unwrap();
        assert_eq!((nobody.uid, nobody.runtime_folder().as_deref()), (65534, Some("/run/user/65534")));
        assert!(Login::named("no-such-user").is_none());
    }
}
