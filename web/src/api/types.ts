// What the server's HTTP API and its session events carry. Mirrors /api/v1/openapi.json.

export type DockerState = "stopped" | "starting" | "ready" | "failed" | "absent";

export interface OpenPort {
  port: number;
  url: string;
}

export interface NodeView {
  name: string;
  address: string;
  docker: DockerState;
  ports: OpenPort[];
}

export interface SessionView {
  id: string;
  public_name: string;
  state: "starting" | "running" | "ended";
  nodes: NodeView[];
  /** RFC 3339. */
  created_at: string;
  /** RFC 3339. */
  expires_at: string;
  extensions_left: number;
  url: string;
  course?: string | null;
  lesson?: string | null;
}

export interface TerminalInfo {
  id: string;
  generation: number;
  cols: number;
  rows: number;
  offset: number;
  exit_code: number | null;
  viewers: number;
  foreground: string | null;
}

export interface CheckResult {
  title: string;
  passed: boolean;
  hint?: string | null;
}

export interface CheckReport {
  checks: CheckResult[];
  done: boolean;
}

export interface Progress {
  current_step: string | null;
  steps_done: string[];
  quizzes: Record<string, { correct: boolean }>;
}

export interface Grade {
  correct: boolean;
  explanations: { index: number; correct: boolean; text?: string | null }[];
  explanation?: string | null;
}

export type EndReason = "closed" | "expired" | "lost" | "operator";

/** A message of the session's events socket. Each replaces what an earlier one of its kind said. */
export type SessionEvent =
  | { type: "session"; session: SessionView }
  | { type: "ports"; node: string; ports: OpenPort[] }
  | { type: "docker"; node: string; state: DockerState }
  | { type: "terminals"; node: string; terminals: TerminalInfo[] }
  | ({ type: "checks"; lesson: string; step: string } & CheckReport)
  | { type: "progress"; lesson: string; steps_done: string[]; quizzes: Record<string, { correct: boolean }> }
  | { type: "warning"; seconds_left: number }
  | { type: "ended"; reason: EndReason };

/** RFC 9457, with Boatyard's own `code` where a page acts on it. */
export interface Problem {
  status: number;
  title: string;
  detail?: string;
  code?: "full" | "client-limit" | string;
}

/** What the server writes into a session page for its script. */
export interface SessionPageState {
  session: SessionView;
  /** The server's clock when it made the page, RFC 3339. */
  now: string;
  lesson?: { course: string; lesson: string; progress: Progress | null } | null;
}
