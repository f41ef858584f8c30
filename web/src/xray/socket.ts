import { backoff } from "../api/backoff";
import type { XrayMessage } from "../api/types";
import { onWake } from "../api/wake";
import { UNSHARED } from "../session/rights";

/** The X-ray's socket while it is in sight: comes back by itself, and then begins with the whole picture again. */
export class XraySocket {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly sleepless: () => void;

  constructor(
    private readonly url: string,
    private readonly onMessage: (message: XrayMessage) => void,
    private readonly onLink: (open: boolean) => void,
  ) {
    this.sleepless = onWake((dead) => {
      if (dead || this.socket === null) this.connect();
    });
    this.connect();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.sleepless();
    const old = this.socket;
    this.socket = null;
    old?.close();
  }

  private connect(): void {
    clearTimeout(this.timer);
    const old = this.socket;
    const socket = new WebSocket(this.url);
    this.socket = socket;
    old?.close();
    socket.onopen = () => {
      this.attempt = 0;
      this.onLink(true);
    };
    socket.onmessage = (message) => {
      if (this.socket === socket && typeof message.data === "string") this.onMessage(JSON.parse(message.data) as XrayMessage);
    };
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.onLink(false);
      if (code === UNSHARED) return this.stop();
      this.timer = setTimeout(() => this.connect(), backoff(this.attempt++));
    };
  }
}
