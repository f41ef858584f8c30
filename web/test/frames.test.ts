import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encodeAck, encodeInput, encodeResize, FrameError } from "../src/terminal/frames";

const bytes = (...values: number[]): ArrayBuffer => Uint8Array.from(values).buffer;

test("frames from the agent are read as protocol/src/terminal.rs writes them", () => {
  assert.deepEqual(decode(bytes(0x10, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 1, 2)), {
    kind: "hello",
    generation: 7n,
    offset: 258,
  });
  assert.deepEqual(decode(bytes(0x11, 0, 0, 0, 0, 0, 0, 0, 5, 104, 105)), {
    kind: "output",
    offset: 5,
    bytes: Uint8Array.of(104, 105),
  });
  assert.deepEqual(decode(bytes(0x12, 0, 0, 0, 1, 0, 0, 0, 0)), { kind: "repaint", offset: 2 ** 32, bytes: new Uint8Array() });
  assert.deepEqual(decode(bytes(0x13, 0, 120, 0, 40)), { kind: "size", cols: 120, rows: 40 });
  assert.deepEqual(decode(bytes(0x14, 0xff, 0xff, 0xff, 0xff)), { kind: "exit", code: -1 });
});

test("a frame of fixed size has no tail, and none ends early", () => {
  for (const bad of [bytes(), bytes(0x7f), bytes(0x00, 1), bytes(0x13, 0, 80, 0), bytes(0x13, 0, 80, 0, 24, 9), bytes(0x11, 0)]) {
    assert.throws(() => decode(bad), FrameError);
  }
  assert.throws(() => decode(new ArrayBuffer((1 << 20) + 1)), FrameError);
  assert.throws(() => decode(bytes(0x11, 0xff, 0, 0, 0, 0, 0, 0, 0)), FrameError);
});

test("frames for the agent have its layout", () => {
  assert.deepEqual([...encodeInput(Uint8Array.of(3))], [0x00, 3]);
  assert.deepEqual([...encodeResize(300, 24)], [0x01, 1, 44, 0, 24]);
  assert.deepEqual([...encodeAck(2 ** 32 + 1)], [0x02, 0, 0, 0, 1, 0, 0, 0, 1]);
});
