//! System calls that a sandbox may not make. It is a deny list on top of an unprivileged user namespace: the kernel
//! refuses most of these there already, and the list keeps that so when the kernel has a bug. An allow list would break
//! what students build, in ways that nobody could explain to them.

use anyhow::Result;
use oci_spec::runtime::{Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompBuilder, LinuxSyscallBuilder};

/// Each refused call, by the reason for which it is. They fail with EPERM.
pub(super) const DENIED: &[(&str, &[&str])] = &[
    (
        "replaces the host's kernel or loads code into it",
        &["kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module"],
    ),
    (
        "reads the layout of the host's kernel, which helps an attack on it",
        &["query_module", "get_kernel_syms", "lookup_dcookie", "kcmp", "syslog"],
    ),
    ("stops the whole machine", &["reboot"]),
    ("changes memory and accounting of the whole machine", &["swapon", "swapoff", "acct", "quotactl", "quotactl_fd"]),
    (
        "sets the clock of the whole machine",
        &["settimeofday", "clock_settime", "clock_settime64", "stime", "adjtimex", "clock_adjtime", "clock_adjtime64"],
    ),
    ("reaches hardware directly", &["iopl", "ioperm", "vm86", "vm86old"]),
    ("opens files by number, past every mount that hides them", &["open_by_handle_at"]),
    (
        "large and often attacked parts of the kernel that no lesson needs: a BPF program or a performance counter sees the \
      whole host",
        &["bpf", "perf_event_open"],
    ),
    (
        "makes the kernel wait at a moment that the caller chooses, which turns small kernel bugs into usable ones",
        &["userfaultfd"],
    ),
    (
        "does its work past seccomp, in kernel threads; programs fall back to ordinary calls",
        &["io_uring_setup", "io_uring_enter", "io_uring_register"],
    ),
    (
        "moves memory between processors, to the cost of other sandboxes",
        &["move_pages", "mbind", "set_mempolicy", "migrate_pages", "process_madvise"],
    ),
    ("hangs up a terminal that the agent holds", &["vhangup"]),
    ("obsolete, without any user but an attacker", &["nfsservctl", "uselib", "ustat", "sysfs", "_sysctl"]),
];

/// The list as an OCI profile.
pub(super) fn profile() -> Result<LinuxSeccomp> {
    let names: Vec<String> = DENIED.iter().flat_map(|(_, calls)| calls.iter().map(|c| (*c).to_owned())).collect();
    let architectures = match std::env::consts::ARCH {
        // The older calls of the same processor go by other numbers: without them the list could be passed by.
        "x86_64" => vec![Arch::ScmpArchX86_64, Arch::ScmpArchX86, Arch::ScmpArchX32],
        "aarch64" => vec![Arch::ScmpArchAarch64, Arch::ScmpArchArm],
        _ => Vec::new(),
    };
    Ok(LinuxSeccompBuilder::default()
        .default_action(LinuxSeccompAction::ScmpActAllow)
        .architectures(architectures)
        .syscalls(vec![
            LinuxSyscallBuilder::default()
                .names(names)
                .action(LinuxSeccompAction::ScmpActErrno)
                .errno_ret(libc::EPERM as u32)
                .build()?,
        ])
        .build()?)
}
