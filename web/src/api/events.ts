import { backoff } from "./backoff";
import { ApiError } from "./client";
import type { SessionEvent, SessionView } from "./types";
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
  private stopped = false;
  private readonly sleepless: () => void;

  constructor(
    private readonly api: EventSource,
    private readonly onEvent: (event: SessionEvent) => void,
    private readonly onLink: (state: LinkState) => void,
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
    };
    socket.onmessage = (message) => {
      if (typeof message.data !== "string") return;
      const event = JSON.parse(message.data) as SessionEvent;
      if (event.type === "ended") this.stop();
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
        if (error instanceof ApiError && [403, 404, 410].includes(error.status)) return this.end();
      }
    }
    if (this.stopped || this.socket !== null) return;
    this.timer = setTimeout(() => this.connect(), backoff(this.attempt++));
  }

  private end(): void {
    if (this.stopped) return;
    this.stop();
    this.onLink("gone");
    this.onEvent({ type: "ended", reason: "lost" });
  }

  private sendWatch(): void {
    if (this.watching && this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ type: "watch", ...this.watching }));
    }
  }

  private drop(): void {
    const old = this.socket;
    this.socket = null;
    old?.close();
  }
}
