import { backoff } from "./backoff";
import { ApiError } from "./client";
import type { SessionEvent, SessionView, TerminalAt } from "./types";
import { onWake } from "./wake";

export type LinkState = "connecting" | "open" | "waiting" | "gone";

/** Where the events of a session come from. */
export interface EventSource {
  eventsSocket(): string;
  get(): Promise<SessionView>;
  /** Subprotocols to offer: a page elsewhere brings its token as one. */
  readonly protocols?: string[];
}

/** The session's events socket: comes back by itself, and tells the server again which step is watched. */
export class SessionEvents {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watching: { lesson: string; step: string } | null = null;
  private present: { name?: string; terminal?: TerminalAt } = {};
  private stopped = false;
  private readonly sleepless: () => void;

  constructor(
    private readonly api: EventSource,
    private readonly onEvent: (event: SessionEvent) => void,
    private readonly onLink: (state: LinkState) => void,
    /** Whether the page belongs to someone whom the owner has let in. */
    private readonly guest = false,
  ) {
    this.sleepless = onWake((dead) => {
      if (this.stopped) return;
      if (dead || this.socket === null) this.connect();
    });
    this.connect();
  }

  /** Asks for live checks of a step from now on. */
  watch(lesson: string, step: string): void {
    this.watching = { lesson, step };
    this.sendWatch();
  }

  /** Tells who is in front of the page, and which terminal they have there. */
  here(what: { name?: string; terminal?: TerminalAt }): void {
    Object.assign(this.present, what);
    this.say({ type: "here", ...what });
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.sleepless();
    this.drop();
  }

  private connect(): void {
    clearTimeout(this.timer);
    this.drop();
    this.onLink("connecting");
    const socket = new WebSocket(this.api.eventsSocket(), this.api.protocols);
    this.socket = socket;
    socket.onopen = () => {
      this.attempt = 0;
      this.onLink("open");
      this.sendWatch();
      this.say({ type: "here", ...this.present });
    };
    socket.onmessage = (message) => {
      if (typeof message.data !== "string") return;
      const event = JSON.parse(message.data) as SessionEvent;
      if (event.type === "ended" || event.type === "unshared") this.stop();
      this.onEvent(event);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.onLink("waiting");
      void this.retry();
    };
  }

  private async retry(): Promise<void> {
    // A refused socket shows no status, so the session itself is asked whether it is still there.
    if (this.attempt > 0) {
      try {
        const session = await this.api.get();
        if (session.state === "ended") return this.end();
      } catch (error) {
        // Guests are told of a session's end as long as they are let in.
        const unshared = this.guest && error instanceof ApiError && error.status === 404;
        if (error instanceof ApiError && [403, 404, 410].includes(error.status)) return this.end(unshared);
      }
    }
    if (this.stopped || this.socket !== null) return;
    this.timer = setTimeout(() => this.connect(), backoff(this.attempt++));
  }

  private end(unshared = false): void {
    if (this.stopped) return;
    this.stop();
    this.onLink("gone");
    this.onEvent(unshared ? { type: "unshared" } : { type: "ended", reason: "lost" });
  }

  private sendWatch(): void {
    if (this.watching) this.say({ type: "watch", ...this.watching });
  }

  private say(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private drop(): void {
    const old = this.socket;
    this.socket = null;
    old?.close();
  }
}
