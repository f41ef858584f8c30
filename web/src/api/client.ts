import type {
  CheckReport,
  ForwardToken,
  Grade,
  MadeShare,
  NewPortLink,
  NodeView,
  PortChoices,
  PortLink,
  Problem,
  Progress,
  RegistryContents,
  SeenHost,
  SessionView,
  ShareKind,
  ShareView,
  SshAccess,
  SshKey,
  SshPassword,
  SwarmRole,
  TerminalInfo,
  VariableView,
} from "./types";

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

/** Asks the server; what is no success becomes an `ApiError`. */
export async function send(method: string, path: string, more: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { method, credentials: "same-origin", cache: "no-store", ...more });
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
  return (await (await send(method, path, body === undefined ? {} : asJson(body))).json()) as T;
}

function asJson(body: unknown): RequestInit {
  return { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}

export function createSession(wanted: { course: string | undefined; lesson: string | undefined; image: string | undefined }): Promise<SessionView> {
  return json("POST", "/api/v1/sessions", wanted);
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

  addNode(): Promise<NodeView> {
    return json("POST", `${this.base}/nodes`, {});
  }

  async removeNode(node: string): Promise<void> {
    await send("DELETE", `${this.base}/nodes/${seg(node)}`);
  }

  joinSwarm(node: string, role: SwarmRole): Promise<NodeView> {
    return json("POST", `${this.base}/nodes/${seg(node)}/swarm`, { role });
  }

  /** Types the command of the session's stack once more. */
  async deployAgain(): Promise<void> {
    await send("POST", `${this.base}/deployment`);
  }

  /** What a variable in a lesson's command stands for on a node now. */
  async variable(node: string, name: string): Promise<string> {
    return (await json<VariableView>("GET", `${this.base}/nodes/${seg(node)}/variables/${seg(name)}`)).value;
  }

  portChoices(): Promise<PortChoices> {
    return json("GET", `${this.base}/ports`);
  }

  async choosePortHost(node: string, port: number, host: SeenHost): Promise<void> {
    await send("PUT", `${this.base}/ports/${seg(node)}/${port}`, asJson({ host }));
  }

  sharePort(node: string, port: number): Promise<NewPortLink> {
    return json("POST", `${this.base}/ports/${seg(node)}/${port}/links`);
  }

  async revokePortLink({ node, port, id }: PortLink): Promise<void> {
    await send("DELETE", `${this.base}/ports/${seg(node)}/${port}/links/${seg(id)}`);
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
    await send("PUT", `${this.base}/nodes/${seg(node)}/files?path=${seg(path)}`, { body: content });
  }

  registry(): Promise<RegistryContents> {
    return json("GET", `${this.base}/registry`);
  }

  async deleteTag(repository: string, tag: string): Promise<void> {
    await send("DELETE", `${this.base}/registry/tags?${new URLSearchParams({ repository, tag })}`);
  }

  async deleteRepository(repository: string): Promise<void> {
    await send("DELETE", `${this.base}/registry/repositories?${new URLSearchParams({ repository })}`);
  }

  shares(): Promise<ShareView[]> {
    return json("GET", `${this.base}/shares`);
  }

  makeShare(kind: ShareKind, label: string): Promise<MadeShare> {
    return json("POST", `${this.base}/shares`, { kind, label });
  }

  async endShare(share: string): Promise<void> {
    await send("DELETE", `${this.base}/shares/${seg(share)}`);
  }

  sshAccess(): Promise<SshAccess> {
    return json("GET", `${this.base}/ssh`);
  }

  addSshKey(key: string): Promise<SshKey> {
    return json("POST", `${this.base}/ssh/keys`, { key });
  }

  async removeSshKey(id: number): Promise<void> {
    await send("DELETE", `${this.base}/ssh/keys/${id}`);
  }

  makeSshPassword(): Promise<SshPassword> {
    return json("POST", `${this.base}/ssh/password`);
  }

  makeForwardToken(): Promise<ForwardToken> {
    return json("POST", `${this.base}/forward-token`);
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
    await send("PUT", `${this.base}/progress`, asJson({ current_step: step }));
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
