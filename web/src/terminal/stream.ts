import type { Frame } from "./frames";

/** What a stream draws on: xterm.js, in the page or headless. */
export interface Screen {
  write(data: Uint8Array | string, parsed?: () => void): void;
  reset(): void;
  resize(cols: number, rows: number): void;
}

/** A frame that the order of the wire does not allow; the cure is to attach anew without an offset. */
export class OrderError extends Error {}

const ACK_EVERY = 32 * 1024;

/**
 * Where a viewer stands in a terminal's output.
 *
 * Two offsets matter. `received` counts what was handed to the screen, whose queue loses nothing: a new attachment
 * continues there. `parsed` counts what the screen has worked through: that is what is acknowledged, so that a flood
 * waits in the agent and not in the page.
 *
 * Resets and resizes go through the screen's own queue, so that bytes from before them are drawn before them.
 */
export class Stream {
  private generation: bigint | null = null;
  private received = 0;
  private parsed = 0;
  private acked = 0;
  private greeted = false;
  /** Raised by every repaint and new generation: callbacks of bytes from before then count for nothing. */
  private epoch = 0;

  constructor(
    private readonly screen: Screen,
    private readonly events: {
      /** Acknowledge this much, now if `urgent`, else when nothing more comes for a moment. */
      ack(offset: number, urgent: boolean): void;
      sized(cols: number, rows: number): void;
      exited(code: number): void;
      /** A terminal that this viewer has not seen before starts here. */
      fresh(): void;
    },
  ) {}

  /** What to ask for when attaching: nothing before the first attachment. */
  position(): { generation: bigint; offset: number } | null {
    return this.generation === null ? null : { generation: this.generation, offset: this.received };
  }

  /** Forgets the position: the next attachment starts from a repaint. */
  forget(): void {
    this.generation = null;
  }

  /** A new attachment begins: its first frame must be hello. */
  attached(): void {
    this.greeted = false;
  }

  take(frame: Frame): void {
    if (!this.greeted && frame.kind !== "hello") throw new OrderError(`${frame.kind} before hello`);
    switch (frame.kind) {
      case "hello":
        if (this.greeted) throw new OrderError("a second hello");
        this.greeted = true;
        if (frame.generation !== this.generation) {
          this.generation = frame.generation;
          this.restart(frame.offset);
          this.clear();
          this.events.fresh();
        }
        break;
      case "output":
        this.output(frame.offset, frame.bytes);
        break;
      case "repaint":
        this.restart(frame.offset);
        this.clear();
        this.write(frame.bytes, frame.offset);
        break;
      case "size":
        this.screen.write("", () => {
          this.screen.resize(frame.cols, frame.rows);
          this.events.sized(frame.cols, frame.rows);
        });
        break;
      case "exit":
        this.screen.write("", () => this.events.exited(frame.code));
        break;
    }
  }

  private output(offset: number, bytes: Uint8Array): void {
    if (offset > this.received) throw new OrderError(`output at ${offset}, expected ${this.received}`);
    // Never seen from a correct agent; drawing bytes twice would be worse than dropping them.
    const fresh = bytes.subarray(this.received - offset);
    if (fresh.length === 0) return;
    this.received += fresh.length;
    this.write(fresh, this.received);
  }

  private write(bytes: Uint8Array, upTo: number): void {
    const epoch = this.epoch;
    this.screen.write(bytes, () => {
      if (epoch !== this.epoch) return;
      this.parsed = upTo;
      const due = this.parsed - this.acked;
      if (due >= ACK_EVERY) this.acked = this.parsed;
      this.events.ack(this.parsed, due >= ACK_EVERY);
    });
  }

  private restart(offset: number): void {
    this.epoch += 1;
    this.received = offset;
    this.parsed = offset;
    this.acked = offset;
  }

  private clear(): void {
    // CAN first: it ends an escape sequence that was cut in the middle, which a reset alone leaves open.
    this.screen.write("\x18", () => this.screen.reset());
  }
}
