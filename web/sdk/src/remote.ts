import { ApiError, send } from "../../src/api/client.js";
import { BoatyardError, kindOf } from "./errors.js";
import type { Problem } from "./types.js";

/** How long a server may take to say whether this page may come. */
const PATIENCE = 8_000;

interface Embedding {
  allowed: boolean;
  origin?: string | null;
}

/** A server on another origin. Cookies are never sent: what opens a session is its token. */
export class Remote {
  /** Scheme, host and port, without a slash at the end. */
  readonly server: string;

  constructor(server: string | URL) {
    const url = new URL(server, globalThis.location?.href);
    if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError(`${server} is no address of a server`);
    this.server = url.origin;
  }

  /** Asks; what is no success becomes a `BoatyardError`. */
  async ask(method: string, path: string, token?: string, more: RequestInit = {}): Promise<Response> {
    try {
      return await this.raw(method, path, token, more);
    } catch (error) {
      throw await this.explain(error);
    }
  }

  /** The same, as JSON both ways. */
  async json<T>(method: string, path: string, token?: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const more: RequestInit = { headers };
    if (body !== undefined) {
      more.body = JSON.stringify(body);
      more.headers = { ...headers, "content-type": "application/json" };
    }
    return (await (await this.ask(method, path, token, more)).json()) as T;
  }

  /** Asks; what is no success becomes an `ApiError`. */
  raw(method: string, path: string, token?: string, more: RequestInit = {}): Promise<Response> {
    const headers = new Headers(more.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    return send(method, `${this.server}/api/v1${path}`, { ...more, headers, credentials: "omit" });
  }

  socket(path: string): string {
    return `${this.server.replace(/^http/, "ws")}/api/v1${path}`;
  }

  /** Subprotocols of a WebSocket: there, a token cannot come as a header. */
  protocols(token: string): string[] {
    return ["boatyard.v1", `boatyard.bearer.${token}`];
  }

  /** A failure as the page is told of it. */
  async explain(error: unknown): Promise<BoatyardError> {
    if (error instanceof BoatyardError) return error;
    if (error instanceof ApiError) {
      const problem = error.problem as Problem;
      // To a page that is not let in, a browser shows a refusal as no answer at all; so it is asked which of the two it is.
      return problem.status === 0 || problem.status === 403 ? this.unheard(problem) : new BoatyardError(kindOf(problem), problem);
    }
    const detail = error instanceof Error ? error.message : String(error);
    return new BoatyardError("refused", { type: "about:blank", status: 0, title: "It failed", detail });
  }

  private async unheard(problem: Problem): Promise<BoatyardError> {
    const say = (kind: "unreachable" | "origin", title: string, detail: string): BoatyardError =>
      new BoatyardError(kind, { type: "about:blank", status: problem.status, title, detail });
    const host = new URL(this.server).host;
    let told: Embedding | null = null;
    try {
      const answer = await fetch(`${this.server}/api/v1/embedding`, { credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      told = answer.ok ? ((await answer.json()) as Embedding) : { allowed: false };
    } catch {
      told = null;
    }
    if (told === null) {
      const mixed = location.protocol === "https:" && this.server.startsWith("http:") && !isLocal(new URL(this.server).hostname);
      const why = mixed ? ` This page came over https, and browsers let such a page use no server without TLS: ${this.server} needs https.` : "";
      return say("unreachable", "The server does not answer", `${host} does not answer.${why}`);
    }
    if (told.allowed) {
      return problem.status === 0
        ? say("unreachable", "The connection broke off", `The connection to ${host} broke off.`)
        : new BoatyardError("refused", problem);
    }
    const own = told.origin ?? location.origin;
    const mend = own === "null" ? "A page that was opened from a file has no origin: serve it over http." : `Its operator can allow it: add "${own}" to \`origins\` under [sdk].`;
    return say("origin", "This page may not embed terminals", `${host} does not let pages of ${own} embed its terminals. ${mend}`);
  }
}

/** Names that browsers take for this machine, also without TLS. */
function isLocal(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
