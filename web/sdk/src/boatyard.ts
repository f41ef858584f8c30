import { backoff } from "../../src/api/backoff.js";
import { SessionEvents } from "../../src/api/events.js";
import type { SessionEvent, SessionView, TerminalInfo } from "../../src/api/types.js";
import { Emitter } from "./emitter.js";
import { BoatyardError } from "./errors.js";
import { Keep, type Key } from "./keep.js";
import { openTab } from "./open.js";
import { Remote } from "./remote.js";
import type { BoatyardEvents, EndReason, ExecOptions, ExecResult, Session, SessionNode, SessionOptions, Status, UploadOptions } from "./types.js";

/** How long to wait before a full server is asked again, in milliseconds; spread, so that not all come at once. */
const FULL = { least: 8_000, spread: 6_000 };

const REASONS: Record<EndReason, string> = {
  closed: "It was closed.",
  expired: "Its time was up.",
  lost: "It is no longer there.",
  operator: "The operator of this Boatyard ended it.",
};

const seg = encodeURIComponent;
const shared = new Map<string, Boatyard>();

/** A Boatyard server, and the session that this page has there. */
export class Boatyard extends Emitter<BoatyardEvents> {
  /** Scheme, host and port of the server. */
  readonly server: string;
  private readonly remote: Remote;
  private readonly keep: Keep;
  private now: Status = { state: "idle" };
  private key: Key | null = null;
  private events: SessionEvents | null = null;
  private pending: Promise<Session> | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private attempts = 0;
  private nodeWork: Promise<unknown> = Promise.resolve();

  /** `server` is its address, such as `https://lab.example.org`. Nothing is asked of it yet. */
  constructor(
    server: string | URL,
    private readonly options: SessionOptions = {},
  ) {
    super();
    this.remote = new Remote(server);
    this.server = this.remote.server;
    const { keep = "tab", ...kind } = options;
    this.keep = new Keep(this.server, JSON.stringify(kind, Object.keys(kind).sort()), keep === "tab");
  }

  /** The one that all parts of a page share which ask for the same server and kind of session. */
  static at(server: string | URL, options: SessionOptions = {}): Boatyard {
    const id = `${new Remote(server).server} ${JSON.stringify(options, Object.keys(options).sort())}`;
    const known = shared.get(id) ?? new Boatyard(server, options);
    shared.set(id, known);
    return known;
  }

  get status(): Status {
    return this.now;
  }

  /** The session while it runs. */
  get session(): Session | null {
    return this.now.state === "running" ? this.now.session : null;
  }

  /** Whether there is a session of an earlier page to go on with. */
  get isKept(): boolean {
    return this.keep.session !== null;
  }

  /** Goes on with the kept session, or starts one. Asked again while it starts or runs, it answers the same. */
  start(): Promise<Session> {
    if (this.session) return Promise.resolve(this.session);
    return this.once(() => this.begin());
  }

  /** Goes on with the kept session; null where there is none, or it is over. */
  async resume(): Promise<Session | null> {
    if (this.session) return this.session;
    const kept = this.keep.session;
    if (!kept) return null;
    try {
      return await this.once(() => this.take(kept));
    } catch (error) {
      if (error instanceof BoatyardError && error.kind === "ended") return null;
      throw error;
    }
  }

  /** With `limit`: whether this browser can go on with one of the sessions that it has already. */
  get canRejoin(): boolean {
    return this.earlier() !== null;
  }

  /** With `limit`: goes on with one of the sessions that this browser has already. */
  rejoin(): Promise<Session> {
    const earlier = this.earlier();
    return earlier ? this.once(() => this.take(earlier)) : this.start();
  }

  /** Ends the session: its files, images and containers are deleted. */
  async close(): Promise<void> {
    const key = this.key;
    if (!key) return;
    try {
      await this.remote.ask("DELETE", `/sessions/${seg(key.id)}`, key.token);
    } catch (error) {
      if (!(error instanceof BoatyardError && [404, 410].includes(error.status))) throw error;
    }
    if (this.key === key) this.over("closed");
  }

  /** Adds an extension's time to the session. */
  async extend(): Promise<Session> {
    return this.changed(await this.call<Session>("POST", "/extend"));
  }

  /** Asks the server for the session as it is now. */
  async refresh(): Promise<Session> {
    return this.changed(await this.call<Session>("GET", ""));
  }

  /** The nodes of the session. */
  get nodes(): SessionNode[] {
    return this.session?.nodes ?? [];
  }

  /** Adds a node; it has a prompt when this is answered. */
  async addNode(image?: string): Promise<SessionNode> {
    const node = await this.call<SessionNode>("POST", "/nodes", image === undefined ? {} : { image });
    const session = this.session;
    if (session && !session.nodes.some(({ name }) => name === node.name)) this.changed({ ...session, nodes: [...session.nodes, node] });
    return node;
  }

  /** Takes a node out of the session, with all that is on it. */
  async removeNode(name: string): Promise<void> {
    await this.call("DELETE", `/nodes/${seg(name)}`);
  }

  /** The node of this name, `node1` and so on; it and those before it are added where they are not there. */
  async node(name: string): Promise<SessionNode> {
    await this.start();
    const work = this.nodeWork.then(async () => {
      const wanted = Number(/^node([1-9]\d?)$/.exec(name)?.[1] ?? 0);
      for (;;) {
        const found = this.nodes.find((node) => node.name === name);
        if (found) return found;
        if (this.nodes.length >= wanted) throw refused("No such node", `This session has no ${name}.`);
        await this.addNode();
      }
    });
    this.nodeWork = work.catch(() => undefined);
    return work;
  }

  /** Runs a command in a node, without a terminal, and waits for its end. A text is run by a shell. */
  exec(node: string, command: string | string[], options: ExecOptions = {}): Promise<ExecResult> {
    const words = typeof command === "string" ? ["sh", "-c", command] : command;
    return this.call("POST", `/nodes/${seg(node)}/exec`, { command: words, ...options });
  }

  /** Writes a file into a node; missing folders are made. `path` is absolute. */
  async upload(node: string, path: string, content: BodyInit, { mode, replace = true, signal }: UploadOptions = {}): Promise<void> {
    const key = this.need();
    const query = new URLSearchParams({ path });
    if (mode !== undefined) query.set("mode", String(mode));
    const headers = { "content-type": "application/octet-stream", ...(replace ? {} : { "if-none-match": "*" }) };
    await this.remote.ask("PUT", `/sessions/${seg(key.id)}/nodes/${seg(node)}/files?${query}`, key.token, { body: content, headers, ...(signal && { signal }) });
  }

  /** Reads a file of a node. */
  async download(node: string, path: string): Promise<Blob> {
    const key = this.need();
    return (await this.remote.ask("GET", `/sessions/${seg(key.id)}/nodes/${seg(node)}/files?path=${seg(path)}`, key.token)).blob();
  }

  /** Where a port of a node opens in this browser. Good for a minute: ask when it is to be opened. */
  async portUrl(node: string, port: number, path = "/"): Promise<string> {
    const { url } = await this.call<{ url: string }>("POST", `/nodes/${seg(node)}/ports/${port}/ticket`, { path });
    // A tab of this page's goes there: a script instead of an address would be run as the page's own.
    if (!/^https?:\/\//.test(url)) throw refused("No address", "The server answered with no address of the web.");
    return url;
  }

  /** Opens a port of a node in a new tab, starting a session where there is none. To be called in a click's own turn, or
   * browsers keep the tab from opening. */
  openPort(node: string, port: number, path = "/"): Promise<void> {
    return openTab(`Opening port ${port} of ${node}…`, async () => {
      await this.start();
      return this.portUrl(node, port, path);
    });
  }

  /** @internal What a terminal's connection needs of the running session. */
  terminal(node: string, name: string): TerminalLink {
    const { id, token } = this.need();
    const path = `/sessions/${seg(id)}/nodes/${seg(node)}/terminals`;
    return {
      session: id,
      protocols: this.remote.protocols(token),
      url: (query) => this.remote.socket(`${path}/${seg(name)}/socket?${query}`),
      open: async (cols, rows) => void (await this.remote.ask("PUT", `${path}/${seg(name)}`, token, asJson({ cols, rows }))),
      exists: async () => {
        try {
          const all = (await (await this.remote.raw("GET", path, token)).json()) as TerminalInfo[];
          return all.some((terminal) => terminal.id === name);
        } catch (error) {
          const status = (error as { status?: number }).status ?? 0;
          return [403, 404, 410].includes(status) ? false : "unknown";
        }
      },
    };
  }

  private earlier(): Key | null {
    const error = this.now.state === "failed" ? this.now.error : null;
    return error?.kind === "limit" ? this.keep.earlier(error.problem.sessions ?? []) : null;
  }

  /** One start at a time: whoever asks meanwhile gets the same. */
  private once(work: () => Promise<Session>): Promise<Session> {
    if (this.pending) return this.pending;
    clearTimeout(this.retry);
    this.enter({ state: "starting" });
    this.pending = this.attempt(work);
    return this.pending;
  }

  private async attempt(work: () => Promise<Session>): Promise<Session> {
    try {
      const session = await work();
      this.attempts = 0;
      return session;
    } catch (cause) {
      const error = await this.remote.explain(cause);
      if (error.kind !== "ended") this.enter({ state: "failed", error });
      // What passes by itself is tried again by itself, without a word until it works.
      const wait = error.kind === "full" ? FULL.least + Math.random() * FULL.spread : error.kind === "unreachable" ? backoff(2 + this.attempts++) : null;
      if (wait !== null) this.again(work, wait);
      throw error;
    } finally {
      this.pending = null;
    }
  }

  private again(work: () => Promise<Session>, wait: number): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      // Nobody waits for a page that nobody sees.
      if (document.hidden) this.again(work, wait);
      else void (this.pending ??= this.attempt(work)).catch(() => undefined);
    }, wait);
  }

  private async begin(): Promise<Session> {
    const kept = this.keep.session;
    if (kept) {
      try {
        return await this.take(kept);
      } catch (error) {
        if (!(error instanceof BoatyardError && error.kind === "ended")) throw error;
        this.enter({ state: "starting" });
      }
    }
    const { keep: _, ...wanted } = this.options;
    const client = this.keep.client;
    const headers: Record<string, string> = client === null ? {} : { "x-boatyard-client": client };
    const started = await this.remote.json<Session & { token: string; client?: string }>("POST", "/sessions", undefined, wanted, headers);
    const { token, client: told, ...session } = started;
    if (told !== undefined) this.keep.client = told;
    return this.follow({ id: session.id, token }, session);
  }

  /** Goes on with a session; fails with `ended` where it is over. */
  private async take(key: Key): Promise<Session> {
    try {
      return this.follow(key, await this.remote.json<Session>("GET", `/sessions/${seg(key.id)}`, key.token));
    } catch (error) {
      if (!(error instanceof BoatyardError && [404, 410].includes(error.status))) throw error;
      this.keep.forget(key.id);
      const detail = error.status === 410 ? error.message : REASONS.lost;
      this.enter({ state: "ended", reason: "lost", detail });
      throw error.kind === "ended" ? error : new BoatyardError("ended", error.problem);
    }
  }

  private follow(key: Key, session: Session): Session {
    this.key = key;
    this.keep.session = key;
    this.enter({ state: "running", session });
    this.emit("session", session);
    this.events?.stop();
    this.events = new SessionEvents(
      {
        eventsSocket: () => this.remote.socket(`/sessions/${seg(key.id)}/events`),
        protocols: this.remote.protocols(key.token),
        get: async () => (await this.remote.raw("GET", `/sessions/${seg(key.id)}`, key.token)).json() as Promise<SessionView>,
      },
      (event) => this.key === key && this.happened(event),
      (link) => this.emit("link", link),
    );
    return session;
  }

  private happened(event: SessionEvent): void {
    const change = (name: string, what: Partial<SessionNode>): void => {
      const session = this.session;
      if (session) this.changed({ ...session, nodes: session.nodes.map((node) => (node.name === name ? { ...node, ...what } : node)) });
    };
    if (event.type === "session") this.changed(event.session);
    else if (event.type === "ports") change(event.node, { ports: event.ports });
    else if (event.type === "docker") change(event.node, { docker: event.state });
    else if (event.type === "node-lost") this.emit("node-lost", { node: event.node });
    else if (event.type === "warning") this.emit("warning", { seconds_left: event.seconds_left });
    else if (event.type === "ended") this.over(event.reason);
  }

  private changed(session: Session): Session {
    if (this.now.state !== "running" || this.now.session.id !== session.id) return session;
    this.now = { state: "running", session };
    this.emit("session", session);
    return session;
  }

  private over(reason: EndReason): void {
    if (this.key) this.keep.forget(this.key.id);
    this.key = null;
    this.events?.stop();
    this.events = null;
    this.enter({ state: "ended", reason, detail: REASONS[reason] ?? REASONS.lost });
  }

  private enter(status: Status): void {
    this.now = status;
    this.emit("status", status);
  }

  private call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const key = this.need();
    if (method === "DELETE") return this.remote.ask(method, `/sessions/${seg(key.id)}${path}`, key.token) as Promise<never>;
    return this.remote.json(method, `/sessions/${seg(key.id)}${path}`, key.token, body);
  }

  private need(): Key {
    if (!this.key) throw refused("No session", "There is no session; start one first.");
    return this.key;
  }
}

/** @internal What a terminal's connection needs. */
export interface TerminalLink {
  session: string;
  protocols: string[];
  url(query: URLSearchParams): string;
  open(cols: number, rows: number): Promise<void>;
  exists(): Promise<boolean | "unknown">;
}

function refused(title: string, detail: string): BoatyardError {
  return new BoatyardError("refused", { type: "about:blank", status: 0, title, detail });
}

function asJson(body: unknown): RequestInit {
  return { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}
