//! What the server and the agent say to each other, as JSON.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /v1/info` | | [`AgentInfo`] |
//! | `POST /v1/shutdown` | | 202; the sandbox ends within two seconds |
//! | `PUT /v1/hosts` | `Vec<HostEntry>` | 204; replaces the names in `/etc/hosts` |
//! | `POST /v1/docker/start` | | 202; starts dockerd if it is not up |
//! | `GET /v1/terminals` | | `Vec<TerminalInfo>` |
//! | `PUT /v1/terminals/{id}` | [`OpenTerminal`] | [`TerminalInfo`]; opens it if there is none of that id |
//! | `DELETE /v1/terminals/{id}` | | 204; hangs up and forgets it |
//! | `GET /v1/terminals/{id}/attach` | WebSocket, query [`Attach`] | frames of [`crate::terminal`] |
//! | `POST /v1/exec` | [`ExecRequest`] | [`ExecResponse`] |
//! | `GET /v1/process` | WebSocket | a process by its streams: frames of [`crate::process`] |
//! | `GET /v1/files?path=` | | the bytes, with `x-boatyard-file: <FileEntry as JSON>` |
//! | `PUT /v1/files?path=&mode=` | the bytes | [`FileEntry`]; makes missing folders, replaces atomically |
//! | `DELETE /v1/files?path=` | | 204; a folder goes with what is in it |
//! | `GET /v1/files/list?path=` | | [`FileList`] |
//! | `PUT /v1/files/folder?path=` | | [`FileEntry`]; makes a folder and those above it, or finds it |
//! | `POST /v1/files/move` | [`FileMove`] | [`FileEntry`]; never over what is there |
//! | `GET /v1/files/tar?path=` | | a tar archive of a folder, in one file system |
//! | `GET /v1/dial?port=` or `?unix=` | `Upgrade: boatyard-stream` | 101, then raw bytes both ways |
//! | `GET /v1/events` | WebSocket | [`Event`]s; a snapshot of each kind first |
//! | `GET /v1/accept` | WebSocket | [`StreamOffer`]s |
//! | `GET /v1/streams/{id}` | `Upgrade: boatyard-stream` | 101, then raw bytes both ways |
//!
//! Every error is a [`Problem`] with a fitting status: 400 bad request, 403 not permitted, 404 not there, 409 in
//! the way, 412 changed meanwhile, 413 too large, 502 refused by what was dialled, 504 timed out, 507 disk full.
//!
//! `PUT /v1/files` heeds `If-Match: "<etag>"` (only over the file that has this [`FileEntry::etag`]) and
//! `If-None-Match: *` (only where there is none); it is judged in one step with the replacement.
//!
//! `PUT` and `DELETE` are idempotent. Events may repeat what a snapshot said, so a reader replaces, never adds.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

/// The `Upgrade` token of raw byte streams (`/v1/dial`, `/v1/streams/{id}`).
pub const UPGRADE: &str = "boatyard-stream";

/// Name of the environment variable in which the server passes [`AgentConfig`] as JSON. It is no place for secrets:
/// the student is root in the sandbox and can read it.
pub const CONFIG_ENV: &str = "BOATYARD_AGENT";

/// The descriptor on which the agent finds its listening Unix socket, as with systemd's socket activation
/// (sd_listen_fds(3)): the socket's path lies outside the sandbox, so a student cannot put another in its place.
pub const LISTEN_FD: i32 = 3;

/// The file whose text new login shells say first.
pub const GREETING_FILE: &str = "/run/boatyard/greeting";

/// Where the session's own registry answers inside a sandbox, as host name and port.
pub const REGISTRY_HOST: &str = "registry.lab:5000";

/// What an agent is told when its sandbox starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentConfig {
    /// Host name of the node, such as `node1`.
    pub hostname: String,
    /// When the Docker Engine starts.
    pub docker: DockerMode,
    /// Further names for `/etc/hosts`, the other nodes of the session.
    #[serde(default)]
    pub hosts: Vec<HostEntry>,
    /// Name servers for `/etc/resolv.conf`; none on a sandbox without a route to the world.
    #[serde(default)]
    pub dns: Vec<IpAddr>,
    /// Address of this node on the session's network, set by the engine; the agent configures nothing with it but
    /// `/etc/hosts`.
    pub address: Option<Ipv4Addr>,
    /// The user to whom terminals, commands and new files belong; root where there is none, or no such user.
    #[serde(default)]
    pub user: Option<String>,
    /// Loopback ports that are carried to the server.
    #[serde(default)]
    pub tunnels: Vec<Tunnel>,
    /// Number of processors that `nproc` shows; none leaves all that the host has.
    #[serde(default)]
    pub cpus: Option<u32>,
    /// Keys for logins between the session's nodes; none switches them off.
    #[serde(default)]
    pub ssh: Option<SshKeys>,
    /// What new login shells say first.
    #[serde(default)]
    pub greeting: Option<String>,
    /// Terminals opened at once, before anyone asks, so that the first viewer finds a prompt.
    #[serde(default)]
    pub terminals: Vec<(String, OpenTerminal)>,
}

/// Keys that all nodes of a session share, so that root logs in from each to each by `ssh node2`. They open nothing else.
/// Private keys are in OpenSSH's format (PROTOCOL.key), public ones are lines of `authorized_keys` (sshd(8)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshKeys {
    /// Private key of who logs in.
    pub login: String,
    /// Its public key.
    pub login_public: String,
    /// Private key by which the nodes prove that they are of this session.
    pub host: String,
    /// Its public key.
    pub host_public: String,
}

/// When the Docker Engine of a sandbox starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum DockerMode {
    /// On the first connection to `/run/docker.sock`.
    #[default]
    OnDemand,
    /// As soon as the sandbox starts.
    AtOnce,
    /// Never; the socket is not opened either.
    Off,
}

/// A line of `/etc/hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEntry {
    /// The address.
    pub address: IpAddr,
    /// Its names, the canonical one first.
    pub names: Vec<String>,
}

/// A TCP service that processes in the sandbox reach on loopback and that the server provides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tunnel {
    /// What the server calls it in [`StreamOffer::service`]: `registry` or `catalogue`.
    pub service: String,
    /// Port on 127.0.0.1 on which the agent itself listens.
    pub port: u16,
    /// Loopback addresses and ports that lead there too. A process of the student's that listens on such a port itself
    /// wins on 127.0.0.1: the agent hands the connection over to it.
    #[serde(default)]
    pub aliases: Vec<std::net::SocketAddrV4>,
    /// Names for the aliases' first address in `/etc/hosts`, such as `registry.lab`.
    #[serde(default)]
    pub names: Vec<String>,
}

impl Tunnel {
    /// Names with the port at which clients in the sandbox reach it, such as `registry.lab:5000`.
    pub fn hosts(&self) -> impl Iterator<Item = String> + '_ {
        let port = self.aliases.first().map_or(self.port, std::net::SocketAddrV4::port);
        self.names.iter().map(move |name| format!("{name}:{port}"))
    }
}

/// What an agent says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// [`crate::VERSION`] of the agent.
    pub protocol: u32,
    /// Version of the agent's package.
    pub version: String,
    /// State of the Docker Engine.
    pub docker: DockerState,
    /// Milliseconds since the agent started.
    pub uptime_ms: u64,
}

/// State of the sandbox's Docker Engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DockerState {
    /// Not started; the next use of its socket starts it.
    Stopped,
    /// Started, does not answer yet.
    Starting,
    /// Answers.
    Ready,
    /// Died several times in a row; started again after a pause.
    Failed,
    /// There is no Docker Engine in this lab image, or it is switched off.
    Absent,
}

/// How to open a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTerminal {
    /// Columns, 2 to 1000.
    pub cols: u16,
    /// Rows, 1 to 1000.
    pub rows: u16,
    /// Command and arguments; the user's login shell where there is none.
    #[serde(default)]
    pub command: Vec<String>,
    /// Working folder; the user's home where there is none.
    #[serde(default)]
    pub cwd: Option<String>,
}

/// A terminal as its agent sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalInfo {
    /// Its id, unique in its node at one time.
    pub id: String,
    /// Distinguishes terminals that had the same id one after the other: offsets count within one generation.
    pub generation: u64,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// Bytes that the terminal has put out since it was opened.
    pub offset: u64,
    /// Exit code of its process, once it has ended (128 + signal where a signal ended it).
    pub exit_code: Option<i32>,
    /// Number of viewers attached now.
    pub viewers: u32,
    /// Command name of the terminal's foreground process group, such as `bash` or `vim`.
    pub foreground: Option<String>,
    /// Working folder of its foreground process, or of its shell.
    #[serde(default)]
    pub cwd: Option<String>,
}

/// Query of `GET /v1/terminals/{id}/attach`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// Generation that `offset` belongs to.
    pub generation: Option<u64>,
    /// Offset after the last byte that the viewer has rendered. Absent: the viewer has nothing.
    pub offset: Option<u64>,
    /// Columns of the viewer; a viewer that has no size (a script) leaves both out.
    pub cols: Option<u16>,
    /// Rows of the viewer.
    pub rows: Option<u16>,
    /// Whether the viewer's input and size count for nothing.
    #[serde(default)]
    pub read_only: bool,
}

/// A command to run to its end, without a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecRequest {
    /// Command and arguments; looked up in `PATH`.
    pub command: Vec<String>,
    /// What its standard input gets; empty where absent.
    #[serde(default)]
    pub stdin: Option<String>,
    /// Working folder; the user's home where there is none.
    #[serde(default)]
    pub cwd: Option<String>,
    /// Variables set over the user's login environment.
    #[serde(default)]
    pub env: std::collections::BTreeMap<String, String>,
    /// As whom it runs; [`AgentConfig::user`] where absent.
    #[serde(default)]
    pub user: Option<String>,
    /// After so many milliseconds its whole process group is killed.
    pub timeout_ms: u64,
    /// Most bytes kept of each of stdout and stderr; what comes after is read and dropped.
    pub max_output: usize,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecResponse {
    /// Its exit code; 128 + signal where a signal ended it.
    pub exit_code: i32,
    /// Its standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Its standard error; bytes that are not UTF-8 are replaced.
    pub stderr: String,
    /// Whether one of them was cut at `max_output`.
    pub truncated: bool,
    /// Whether the time ran out.
    pub timed_out: bool,
}

/// A file or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name without folders; bytes that are not UTF-8 are replaced.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Bytes.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// Milliseconds since 1970 of its last change.
    pub modified_ms: i64,
    /// Changes with every write: for "has someone else changed it?".
    pub etag: String,
    /// Where a symbolic link points.
    pub target: Option<String>,
    /// What a symbolic link leads to in the end; none where that is not there.
    #[serde(default)]
    pub leads_to: Option<FileKind>,
    /// Whether it lies where nothing can be replaced: a read-only mount, or a file system like /proc.
    #[serde(default)]
    pub read_only: bool,
}

/// What is in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileList {
    /// The folder, without links in its path.
    pub path: String,
    /// What is in it, by name.
    pub entries: Vec<FileEntry>,
    /// Whether there is more than is told.
    pub truncated: bool,
}

/// What to move where: also a new name in the same folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMove {
    /// What there is.
    pub from: String,
    /// Where it goes, with its new name.
    pub to: String,
}

/// Kind of a [`FileEntry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, socket or pipe.
    Other,
}

/// A TCP port on which something in the sandbox listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListeningPort {
    /// The port.
    pub port: u16,
    /// Whether it is reachable on loopback only.
    pub loopback: bool,
}

/// What an agent reports by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// All ports that listen now, without the agent's own and Docker's.
    Ports {
        /// In ascending order.
        listening: Vec<ListeningPort>,
    },
    /// State of the Docker Engine.
    DockerState {
        /// The new state.
        state: DockerState,
    },
    /// An event of the Docker Engine, as it came (Engine API, `GET /events`).
    Docker {
        /// The event's object.
        event: serde_json::Value,
    },
    /// Docker's storage changed by itself: told at most five times a second, while layers come in or are made. The engine
    /// tells of neither before all is done.
    DockerStorage {
        /// What happened since the last one.
        #[serde(flatten)]
        storage: DockerStorage,
    },
    /// All terminals, after one was opened, ended or was closed.
    Terminals {
        /// In order of opening.
        terminals: Vec<TerminalInfo>,
    },
    /// A terminal put something out: sent at most four times a second, and once more when it falls silent.
    Activity {
        /// The terminal's id.
        terminal: String,
    },
}

/// What happens in Docker's storage while an image is pulled or loaded, and when one was built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerStorage {
    /// Layers that are complete since the last report, in order; at most 128.
    pub layers: Vec<StoredLayer>,
    /// Layers being downloaded now.
    pub downloads: u32,
    /// Bytes of them that are there.
    pub downloaded: u64,
    /// Whether an image was stored or removed; builds without a tag make no event of the engine.
    pub images: bool,
}

/// A layer in Docker's storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLayer {
    /// Its chain id, such as `sha256:…`.
    pub chain: String,
    /// Chain id of the layer below.
    pub parent: Option<String>,
    /// Bytes.
    pub size: u64,
}

/// Tells the server that a process in the sandbox opened a stream; the server collects it with
/// `GET /v1/streams/{stream}` within ten seconds, or it is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamOffer {
    /// Id of the stream.
    pub stream: u64,
    /// [`Tunnel::service`] that it is meant for.
    pub service: String,
}

/// An error answer, in the form of RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// What went wrong, for people.
    pub title: String,
    /// The particulars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
