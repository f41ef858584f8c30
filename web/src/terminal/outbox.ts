/** Bytes typed while there is no connection, in order, up to a bound: what does not fit is refused as a whole, since
 * half a command is worse than none. */
export class Outbox {
  private chunks: Uint8Array[] = [];
  private bytes = 0;

  constructor(private readonly limit = 64 * 1024) {}

  get size(): number {
    return this.bytes;
  }

  /** Whether the chunk was kept. */
  push(chunk: Uint8Array): boolean {
    if (this.bytes + chunk.length > this.limit) return false;
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    return true;
  }

  /** All of it, leaving nothing. */
  drain(): Uint8Array[] {
    const all = this.chunks;
    this.chunks = [];
    this.bytes = 0;
    return all;
  }
}
