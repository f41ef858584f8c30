import { backoff } from "../api/backoff";
import { onWake } from "../api/wake";
import { UNSHARED } from "../session/rights";
import { decode, encodeAck, encodeInput, encodeResize } from "./frames";
import { Outbox } from "./outbox";
import { Stream, type Screen } from "./stream";

export type ConnectionState = "connecting" | "open" | "waiting" | "exited" | "gone";

export interface ConnectionOptions {
  screen: Screen;
  /** The socket's address for a query. */
  url(query: URLSearchParams): string;
  /** Subprotocols to offer: a page elsewhere brings its token as one. */
  protocols?: string[];
  /** Whether the terminal is still there, asked when it cannot be reached. */
  exists(): Promise<boolean | "unknown">;
  /** The viewer's window in columns and rows. */
  window(): { cols: number; rows: number };
  /** `unshared`: it is gone because the owner sends the reader away. */
  onState(state: ConnectionState, unshared: boolean): void;
  onSize(cols: number, rows: number): void;
  onExit(code: number): void;
  /** A shell that this page has not shown before. */
  onFresh(): void;
  /** Bytes that wait for the connection; -1 where some had to be refused. */
  onQueued(bytes: number): void;
}

/** Small enough that Ctrl-C behind a large paste is not held up by one huge frame. */
const INPUT_FRAME = 32 * 1024;
const IDLE_ACK = 40;

/** One viewer of one terminal: attaches, resumes exactly where it stopped, and keeps input in order. */
export class Connection {
  private readonly stream: Stream;
  private readonly outbox = new Outbox();
  private readonly encoder = new TextEncoder();
  private readonly sleepless: () => void;
  private socket: WebSocket | null = null;
  private state: ConnectionState = "waiting";
  private attempt = 0;
  /** The shell has ended. The state says so only once the screen has drawn what came before, often after the close. */
  private over = false;
  private unshared = false;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private ackTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: ConnectionOptions) {
    this.stream = new Stream(options.screen, {
      ack: (offset, urgent) => this.acknowledge(offset, urgent),
      sized: options.onSize,
      exited: (code) => {
        this.enter("exited");
        options.onExit(code);
      },
      fresh: options.onFresh,
    });
    this.sleepless = onWake((dead) => {
      if (this.over || this.state === "gone" || this.state === "exited") return;
      if (dead || this.socket === null) this.connect();
    });
    this.connect();
  }

  /** Attaches (again); the answer to "press Enter for a new shell" too, once one was opened. */
  connect(): void {
    clearTimeout(this.retryTimer);
    this.drop();
    this.over = false;
    this.enter("connecting");
    const { cols, rows } = this.options.window();
    const query = new URLSearchParams({ cols: String(cols), rows: String(rows) });
    const position = this.stream.position();
    if (position) {
      query.set("generation", String(position.generation));
      query.set("offset", String(position.offset));
    }
    const socket = new WebSocket(this.options.url(query), this.options.protocols);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.stream.attached();
    socket.onmessage = (message: MessageEvent<ArrayBuffer>) => this.receive(socket, message.data);
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (code === UNSHARED) {
        this.unshared = true;
        return this.close();
      }
      if (this.over || this.state === "exited" || this.state === "gone") return;
      this.enter("waiting");
      void this.retry();
    };
  }

  /** Sends what was typed; keeps it while there is no connection. */
  input(text: string): void {
    this.inputBytes(this.encoder.encode(text));
  }

  inputBytes(bytes: Uint8Array): void {
    if (this.over || this.state === "gone" || this.state === "exited") return;
    if (this.state === "open" && this.socket?.readyState === WebSocket.OPEN) return this.sendInput(bytes);
    this.options.onQueued(this.outbox.push(bytes) ? this.outbox.size : -1);
  }

  /** The window changed. */
  resized(): void {
    if (this.state !== "open") return;
    const { cols, rows } = this.options.window();
    this.socket?.send(encodeResize(cols, rows));
  }

  close(): void {
    this.enter("gone");
    this.sleepless();
    clearTimeout(this.retryTimer);
    this.drop();
  }

  private receive(socket: WebSocket, data: ArrayBuffer): void {
    if (this.socket !== socket) return;
    try {
      const frame = decode(data);
      this.stream.take(frame);
      if (frame.kind === "hello") this.opened();
      if (frame.kind === "exit") this.over = true;
    } catch (error) {
      // A frame out of order or unreadable: nothing after it can be trusted, a repaint puts it right.
      console.error("terminal stream:", error);
      this.stream.forget();
      this.drop();
      this.enter("waiting");
      this.retryTimer = setTimeout(() => this.connect(), backoff(this.attempt++));
    }
  }

  private opened(): void {
    this.attempt = 0;
    this.enter("open");
    for (const chunk of this.outbox.drain()) this.sendInput(chunk);
    this.options.onQueued(0);
    // The window may have changed between the query and now.
    this.resized();
  }

  private sendInput(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += INPUT_FRAME) {
      this.socket?.send(encodeInput(bytes.subarray(at, at + INPUT_FRAME)));
    }
  }

  private acknowledge(offset: number, urgent: boolean): void {
    clearTimeout(this.ackTimer);
    const send = (): void => {
      if (this.state === "open" && this.socket?.readyState === WebSocket.OPEN) this.socket.send(encodeAck(offset));
    };
    if (urgent) send();
    else this.ackTimer = setTimeout(send, IDLE_ACK);
  }

  private async retry(): Promise<void> {
    if (this.attempt > 0 && (await this.options.exists()) === false) {
      if (this.socket === null && this.state === "waiting") this.enter("gone");
      return;
    }
    if (this.socket !== null || this.state !== "waiting") return;
    this.retryTimer = setTimeout(() => this.connect(), backoff(this.attempt++));
  }

  private enter(state: ConnectionState): void {
    if (this.state === state) return;
    this.state = state;
    this.options.onState(state, this.unshared);
  }

  private drop(): void {
    // An ack that still waits belongs to the old attachment; in a new generation it would mean something else.
    clearTimeout(this.ackTimer);
    const old = this.socket;
    this.socket = null;
    old?.close();
  }
}
