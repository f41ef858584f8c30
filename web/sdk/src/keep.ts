/** What opens a session. */
export interface Key {
  id: string;
  token: string;
}

/** Sessions of other tabs that are remembered at most. */
const EARLIER = 8;

/**
 * What this page's browser keeps of its sessions: the tab's own in sessionStorage, and those of other tabs, with who the
 * browser is to the server, in localStorage. Where storage is forbidden, it lasts as long as the page.
 */
export class Keep {
  private readonly memory = new Map<string, string>();

  /** `group` tells apart sessions of different kinds on the same server. */
  constructor(
    private readonly server: string,
    private readonly group: string,
    private readonly tab: boolean,
  ) {}

  get session(): Key | null {
    return this.tab ? asKey(this.read("sessionStorage", `session:${this.group}`)) : null;
  }

  set session(key: Key | null) {
    if (this.tab) this.write("sessionStorage", `session:${this.group}`, key);
    if (key) this.write("localStorage", "sessions", [key, ...this.all().filter(({ id }) => id !== key.id)].slice(0, EARLIER));
  }

  /** Forgets a session that is over. */
  forget(id: string): void {
    if (this.session?.id === id) this.session = null;
    this.write("localStorage", "sessions", this.all().filter((key) => key.id !== id));
  }

  /** The first of these sessions that this browser has the token of. */
  earlier(ids: string[]): Key | null {
    return this.all().find(({ id }) => ids.includes(id)) ?? null;
  }

  /** Who this browser is to the server; it only has its sessions counted. */
  get client(): string | null {
    const value = this.read("localStorage", "client");
    return typeof value === "string" ? value : null;
  }

  set client(client: string | null) {
    this.write("localStorage", "client", client);
  }

  private all(): Key[] {
    const value = this.read("localStorage", "sessions");
    return Array.isArray(value) ? value.map(asKey).filter((key) => key !== null) : [];
  }

  private read(where: "sessionStorage" | "localStorage", what: string): unknown {
    const name = `boatyard:${this.server}:${what}`;
    try {
      const text = globalThis[where].getItem(name);
      return text === null ? null : JSON.parse(text);
    } catch {
      const text = this.memory.get(name);
      return text === undefined ? null : JSON.parse(text);
    }
  }

  private write(where: "sessionStorage" | "localStorage", what: string, value: unknown): void {
    const name = `boatyard:${this.server}:${what}`;
    const text = JSON.stringify(value);
    try {
      globalThis[where].setItem(name, text);
    } catch {
      this.memory.set(name, text);
    }
  }
}

/** Storage is the site's, and anything of the site may have written there. */
function asKey(value: unknown): Key | null {
  if (typeof value !== "object" || value === null) return null;
  const { id, token } = value as Partial<Key>;
  return typeof id === "string" && typeof token === "string" && /^[\w.-]+$/.test(token) ? { id, token } : null;
}
