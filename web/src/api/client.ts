import type { CheckReport, Grade, Problem, Progress, SessionView, TerminalInfo } from "./types";

/** An error answer of the API, or status 0 where none came. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }
  get status(): number {
    return this.problem.status;
  }
}

const seg = encodeURIComponent;

async function send(method: string, path: string, body?: BodyInit, type?: string): Promise<Response> {
  const init: RequestInit = { method, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) {
    init.body = body;
    init.headers = { "content-type": type ?? "application/octet-stream" };
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new ApiError({ type: "about:blank", status: 0, title: "The server does not answer", detail: "The connection is gone for now." });
  }
  if (!response.ok) {
    const problem = (await response.json().catch(() => null)) as Problem | null;
    throw new ApiError(problem ?? { type: "about:blank", status: response.status, title: response.statusText || "The server refused" });
  }
  return response;
}

async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return (await (await send(method, path, text, "application/json")).json()) as T;
}

export function createSession(course?: string, lesson?: string): Promise<SessionView> {
  return json("POST", "/api/v1/sessions", course && lesson ? { course, lesson } : {});
}

/** The API of one session. */
export class SessionApi {
  readonly base: string;

  constructor(readonly id: string) {
    this.base = `/api/v1/sessions/${seg(id)}`;
  }

  get(): Promise<SessionView> {
    return json("GET", this.base);
  }

  extend(): Promise<SessionView> {
    return json("POST", `${this.base}/extend`);
  }

  async close(): Promise<void> {
    await send("DELETE", this.base);
  }

  terminals(node: string): Promise<TerminalInfo[]> {
    return json("GET", `${this.base}/nodes/${seg(node)}/terminals`);
  }

  openTerminal(node: string, terminal: string, cols: number, rows: number): Promise<TerminalInfo> {
    return json("PUT", `${this.base}/nodes/${seg(node)}/terminals/${seg(terminal)}`, { cols, rows });
  }

  async closeTerminal(node: string, terminal: string): Promise<void> {
    await send("DELETE", `${this.base}/nodes/${seg(node)}/terminals/${seg(terminal)}`);
  }

  async writeFile(node: string, path: string, content: string): Promise<void> {
    await send("PUT", `${this.base}/nodes/${seg(node)}/files?path=${seg(path)}`, content);
  }

  lesson(course: string, lesson: string): LessonApi {
    return new LessonApi(`${this.base}/lessons/${seg(course)}/${seg(lesson)}`);
  }

  terminalSocket(node: string, terminal: string, query: URLSearchParams): string {
    return socketUrl(`${this.base}/nodes/${seg(node)}/terminals/${seg(terminal)}/socket?${query}`);
  }

  xraySocket(): string {
    return socketUrl(`${this.base}/xray`);
  }

  eventsSocket(): string {
    return socketUrl(`${this.base}/events`);
  }
}

/** The API of one lesson within a session. */
export class LessonApi {
  constructor(private readonly base: string) {}

  progress(): Promise<Progress> {
    return json("GET", `${this.base}/progress`);
  }

  async setCurrent(step: string): Promise<void> {
    await send("PUT", `${this.base}/progress`, JSON.stringify({ current_step: step }), "application/json");
  }

  check(step: string): Promise<CheckReport> {
    return json("POST", `${this.base}/steps/${seg(step)}/check`);
  }

  answer(quiz: string, answers: number[]): Promise<Grade> {
    return json("POST", `${this.base}/quizzes/${seg(quiz)}`, { answers });
  }
}

function socketUrl(path: string): string {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
