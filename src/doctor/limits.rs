//! Limits of the kernel that are generous for one user and tight for a hundred sandboxes.

use std::fs;

use super::Check;

/// One limit: its sysctl, what each session takes of it, what the rest of the host takes, and what runs out.
struct Limit {
    id: &'static str,
    title: &'static str,
    sysctl: &'static str,
    each: u64,
    base: u64,
    without: &'static str,
}

const LIMITS: &[Limit] = &[
    Limit {
        id: "inotify",
        title: "inotify instances",
        sysctl: "fs.inotify.max_user_instances",
        // All sandboxes together count as those of the user who made them, which is root. Docker, containerd and a
        // shell or two take a few each; programs that watch files take more.
        each: 8,
        base: 64,
        without: "programs inside say: too many open files",
    },
    Limit {
        id: "inotify-watches",
        title: "inotify watches",
        sysctl: "fs.inotify.max_user_watches",
        each: 1000,
        base: 1000,
        without: "programs inside that watch folders fail",
    },
    Limit {
        id: "keys",
        title: "kernel keys per user",
        sysctl: "kernel.keys.maxkeys",
        // Each container inside takes one, of its sandbox's own users.
        each: 0,
        base: 200,
        without: "containers inside fail with: disk quota exceeded",
    },
    Limit {
        id: "pids",
        title: "process numbers",
        sysctl: "kernel.pid_max",
        each: 100,
        base: 5000,
        without: "no process can be started on the whole host",
    },
    Limit {
        id: "map-count",
        title: "memory areas per process",
        sysctl: "vm.max_map_count",
        each: 0,
        base: 65530,
        without: "large programs inside, such as search engines and databases, fail to start",
    },
    Limit {
        id: "conntrack",
        title: "tracked connections",
        sysctl: "net.netfilter.nf_conntrack_max",
        each: 500,
        base: 1000,
        without: "new connections of all sandboxes are dropped",
    },
    Limit {
        id: "user-namespaces",
        title: "user namespaces",
        sysctl: "user.max_user_namespaces",
        each: 20,
        base: 100,
        without: "sandboxes, and rootless containers inside, cannot be made",
    },
];

pub(super) fn all(sessions: u64) -> Vec<Check> {
    LIMITS.iter().map(|l| look(l, sessions, read(l.sysctl))).collect()
}

fn read(sysctl: &str) -> Option<u64> {
    fs::read_to_string(format!("/proc/sys/{}", sysctl.replace('.', "/"))).ok()?.trim().parse().ok()
}

fn look(l: &Limit, sessions: u64, value: Option<u64>) -> Check {
    let need = l.base + l.each * sessions;
    let Some(value) = value else {
        // Not every kernel has every limit, and then nothing runs out.
        return Check::ok(l.id, l.title, format!("{} is not there", l.sysctl));
    };
    let found = format!("{} = {value}", l.sysctl);
    if value >= need {
        return Check::ok(l.id, l.title, found);
    }
    let mend = format!("echo '{} = {need}' >/etc/sysctl.d/60-boatyard-{}.conf && sysctl --system", l.sysctl, l.id);
    if l.each > 0 && value >= l.base {
        let enough = (value - l.base) / l.each;
        return Check::warn(
            l.id,
            l.title,
            format!("{found}: enough for about {enough} sessions, then {}", l.without),
            mend,
        );
    }
    Check::warn(l.id, l.title, format!("{found}, wanted {need}: {}", l.without), mend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn a_tight_limit_says_for_how_many_it_is_enough() {
        let inotify = &LIMITS[0];
        assert_eq!(look(inotify, 300, Some(100_000)).status, Status::Ok);
        assert_eq!(look(inotify, 300, None).status, Status::Ok);
        let tight = look(inotify, 300, Some(128));
        assert_eq!(tight.status, Status::Warn);
        assert!(tight.found.contains("about 8 sessions"), "{}", tight.found);
        assert!(tight.mend.unwrap().contains("fs.inotify.max_user_instances = 2464"));
    }
}
