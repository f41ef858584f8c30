import type { BoatyardError } from "./errors.js";

// What the SDK hands to a page. The server's own types are in its OpenAPI document; `sdk/test/types.ts` holds the two together.

/** What a Docker Engine is doing. */
export type DockerState = "stopped" | "starting" | "ready" | "failed" | "absent";

/** A port that listens in a node. */
export interface Port {
  port: number;
}

/** A machine of a session. */
export interface SessionNode {
  /** Its name, such as `node1`. */
  name: string;
  /** Its address on the session's network. */
  address: string;
  /** The lab image that it was made from. */
  image: string;
  /** State of its Docker Engine. */
  docker: DockerState;
  /** What it is in the session's swarm; absent where it is in none. */
  swarm?: "manager" | "worker" | null;
  /** Ports that listen. */
  ports: Port[];
}

/** A session: the machines that one visitor has for a while. */
export interface Session {
  id: string;
  /** The name by which it is known in host names of ports; opens nothing. */
  public_name: string;
  nodes: SessionNode[];
  /** When it was started (RFC 3339). */
  created_at: string;
  /** When it ends (RFC 3339). */
  expires_at: string;
  /** How often it can still be extended. */
  extensions_left: number;
}

/** What a session shall be. */
export interface SessionOptions {
  /** Name of a template of the server's, such as `two`; one node where absent. */
  template?: string;
  /** Name of a lab image. */
  image?: string;
  /** A course and a lesson of the server's, which the session begins with. */
  course?: string;
  lesson?: string;
  /**
   * Where the session is kept: `tab` goes on with it after a reload and on other pages of the same site in the same tab;
   * `none` forgets it.
   */
  keep?: "tab" | "none";
}

/** How a command ended. */
export interface ExecResult {
  /** Its exit code; 128 + signal where a signal ended it. */
  exit_code: number;
  stdout: string;
  stderr: string;
  /** Whether one of them was cut. */
  truncated: boolean;
  /** Whether its time ran out. */
  timed_out: boolean;
}

/** How a command is run. */
export interface ExecOptions {
  /** What its standard input gets. */
  stdin?: string;
  /** Working folder; the user's home where absent. */
  cwd?: string;
  /** Further environment variables. */
  env?: Record<string, string>;
  /** As whom it runs. */
  user?: string;
  /** Seconds after which it is killed, 1 to 3600; 60 where absent. */
  timeout_s?: number;
}

/** How a file is written. */
export interface UploadOptions {
  /** Permission bits of a new file; 0o644 where absent. */
  mode?: number;
  /** Whether a file that is there may be replaced (the default); else it fails with status 412. */
  replace?: boolean;
  signal?: AbortSignal;
}

/** Why a session ended. */
export type EndReason = "closed" | "expired" | "lost" | "operator";

/** A problem as the server tells it (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  /** HTTP status; 0 where no answer came. */
  status: number;
  detail?: string | null;
  /** Which of several problems with the same status it is. */
  code?: string | null;
  /** With `client-limit`: the sessions that the visitor has. */
  sessions?: string[];
  /** With `full`: how many sessions run. */
  running?: number | null;
  /** With `full`: when the first of them ends at the latest (RFC 3339). */
  next_end?: string | null;
}

/** What is up with the session of a page. */
export type Status =
  /** None was asked for yet. */
  | { state: "idle" }
  | { state: "starting" }
  | { state: "running"; session: Session }
  /** It cannot be had; what is said is in `error`. */
  | { state: "failed"; error: BoatyardError }
  | { state: "ended"; reason: EndReason; detail: string };

/** The events of a `Boatyard`. */
export interface BoatyardEvents {
  /** Anything changed about whether there is a session. */
  status: Status;
  /** The session changed: its end, its nodes, their ports or engines. */
  session: Session;
  /** The session ends soon. */
  warning: { seconds_left: number };
  /** A node's machine died; the session goes on without it. */
  "node-lost": { node: string };
  /** The connection to the server: `waiting` while it is looked for again. */
  link: "connecting" | "open" | "waiting" | "gone";
}
