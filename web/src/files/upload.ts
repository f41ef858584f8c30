import { ApiError } from "../api/client";
import type { FilesApi } from "../api/files";
import type { Piece } from "./gather";
import { join, wrongName } from "./paths";

/** How many files are sent at the same time. */
const AT_ONCE = 3;
/** From this size on it is asked beforehand whether the file is there already, not found out by sending it. */
const ASK_FIRST = 4 << 20;

/** State of one file: `there` where one of its name is there already and has not been replaced. */
export type ItemState = "waiting" | "sending" | "done" | "failed" | "there";

export interface Item {
  piece: Piece;
  state: ItemState;
  sent: number;
  /** Why it failed. */
  why: string;
}

/** Files on their way into one folder of a node. It never replaces what is there unless it is told to. */
export class Upload {
  readonly items: Item[];
  readonly total: number;
  private readonly leave = new AbortController();
  private running = 0;
  private replace = false;

  constructor(
    readonly api: FilesApi,
    readonly folder: string,
    pieces: Piece[],
    private readonly limit: number,
    private readonly changed: () => void,
  ) {
    this.items = pieces.map((piece) => ({ piece, state: "waiting", sent: 0, why: "" }));
    this.total = pieces.reduce((sum, piece) => sum + (piece.file?.size ?? 0), 0);
    for (const item of this.items) this.check(item);
  }

  get sent(): number {
    return this.items.reduce((sum, item) => sum + item.sent, 0);
  }

  get over(): boolean {
    return this.running === 0 && !this.items.some((item) => item.state === "waiting");
  }

  get cancelled(): boolean {
    return this.leave.signal.aborted;
  }

  count(state: ItemState): number {
    return this.items.filter((item) => item.state === state).length;
  }

  start(): void {
    while (this.running < AT_ONCE && !this.cancelled) {
      const item = this.items.find(({ state }) => state === "waiting");
      if (!item) break;
      this.running += 1;
      item.state = "sending";
      void this.send(item).finally(() => {
        this.running -= 1;
        this.start();
      });
    }
    this.changed();
  }

  /** Tries again what failed. */
  retry(): void {
    this.again("failed");
  }

  /** Sends what was left out because it is there already. */
  replaceAll(): void {
    this.replace = true;
    this.again("there");
  }

  cancel(): void {
    this.leave.abort();
    for (const item of this.items) {
      if (item.state !== "waiting") continue;
      item.state = "failed";
      item.why = "cancelled";
    }
    this.changed();
  }

  private again(state: ItemState): void {
    for (const item of this.items) {
      if (item.state !== state) continue;
      item.state = "waiting";
      item.sent = 0;
      this.check(item);
    }
    this.start();
  }

  private check(item: Item): void {
    const wrong = wrongName(item.piece.path);
    const large = (item.piece.file?.size ?? 0) > this.limit;
    if (!wrong && !large) return;
    item.state = "failed";
    item.why = wrong ?? `larger than ${Math.floor(this.limit / 2 ** 20)} MiB, the most for one file`;
  }

  private async send(item: Item): Promise<void> {
    const { path, file } = item.piece;
    const to = join(this.folder, path);
    try {
      if (!file) await this.api.makeFolder(to);
      else if (!this.replace && file.size >= ASK_FIRST && (await this.api.etag(to)) !== null) {
        item.state = "there";
        return;
      } else {
        const progress = (sent: number): void => {
          item.sent = Math.min(sent, file.size);
          this.changed();
        };
        await this.api.upload(to, file, this.replace, progress, this.leave.signal);
      }
      item.sent = file?.size ?? 0;
      item.state = "done";
    } catch (error) {
      item.sent = 0;
      const there = error instanceof ApiError && error.status === 412;
      item.state = there ? "there" : "failed";
      item.why = this.cancelled ? "cancelled" : (error as Error).message;
    }
  }
}
