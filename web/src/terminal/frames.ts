// The binary frames of a terminal, exactly as protocol/src/terminal.rs lays them out. Offsets are u64 on the wire and
// plain numbers here: at a gigabyte a second, 2^53 bytes take a hundred days.

export const MAX_FRAME = 1 << 20;

export type Frame =
  | { kind: "hello"; generation: bigint; offset: number }
  | { kind: "output"; offset: number; bytes: Uint8Array }
  | { kind: "repaint"; offset: number; bytes: Uint8Array }
  | { kind: "size"; cols: number; rows: number }
  | { kind: "exit"; code: number };

export class FrameError extends Error {}

/** Reads a frame that comes from the agent. */
export function decode(message: ArrayBuffer): Frame {
  if (message.byteLength > MAX_FRAME) throw new FrameError("frame is too long");
  if (message.byteLength === 0) throw new FrameError("frame ends too early");
  const view = new DataView(message);
  const kind = view.getUint8(0);
  switch (kind) {
    case 0x10:
      exact(message, 17);
      return { kind: "hello", generation: view.getBigUint64(1), offset: offset(view) };
    case 0x11:
    case 0x12:
      if (message.byteLength < 9) throw new FrameError("frame ends too early");
      return { kind: kind === 0x11 ? "output" : "repaint", offset: offset(view, 1), bytes: new Uint8Array(message, 9) };
    case 0x13:
      exact(message, 5);
      return { kind: "size", cols: view.getUint16(1), rows: view.getUint16(3) };
    case 0x14:
      exact(message, 5);
      return { kind: "exit", code: view.getInt32(1) };
    default:
      throw new FrameError(`unknown frame kind 0x${kind.toString(16).padStart(2, "0")}`);
  }
}

/** Bytes typed or pasted. */
export function encodeInput(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(1 + bytes.length);
  frame[0] = 0x00;
  frame.set(bytes, 1);
  return frame;
}

/** The viewer's window. */
export function encodeResize(cols: number, rows: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(5);
  const view = new DataView(frame.buffer);
  view.setUint8(0, 0x01);
  view.setUint16(1, cols);
  view.setUint16(3, rows);
  return frame;
}

/** Everything before `offset` has been rendered. */
export function encodeAck(offset: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(9);
  const view = new DataView(frame.buffer);
  view.setUint8(0, 0x02);
  view.setBigUint64(1, BigInt(offset));
  return frame;
}

function exact(message: ArrayBuffer, length: number): void {
  if (message.byteLength < length) throw new FrameError("frame ends too early");
  if (message.byteLength > length) throw new FrameError("frame is too long");
}

function offset(view: DataView, at = 9): number {
  const value = view.getBigUint64(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FrameError("offset is too large");
  return Number(value);
}
