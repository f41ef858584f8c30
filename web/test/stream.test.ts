import { Terminal } from "@xterm/headless";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox } from "../src/terminal/outbox";
import { OrderError, Stream } from "../src/terminal/stream";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Viewer {
  terminal: Terminal;
  stream: Stream;
  acks: { offset: number; urgent: boolean }[];
  exits: number[];
}

function viewer(): Viewer {
  const terminal = new Terminal({ cols: 40, rows: 8, scrollback: 1000, allowProposedApi: true });
  const acks: Viewer["acks"] = [];
  const exits: number[] = [];
  const stream = new Stream(terminal, {
    ack: (offset, urgent) => void acks.push({ offset, urgent }),
    sized: () => undefined,
    exited: (code) => void exits.push(code),
    fresh: () => undefined,
  });
  return { terminal, stream, acks, exits };
}

const settled = (terminal: Terminal): Promise<void> => new Promise((resolve) => terminal.write("", resolve));

function screen(terminal: Terminal): string {
  const buffer = terminal.buffer.active;
  const lines = [];
  for (let y = 0; y < buffer.length; y += 1) lines.push(buffer.getLine(y)?.translateToString(true) ?? "");
  return lines.join("\n").trimEnd();
}

/** A terminal's whole output, colours and wide characters included, with cuts in bad places. */
function output(): Uint8Array {
  let text = "";
  for (let line = 0; line < 400; line += 1) text += `\x1b[3${line % 8}mline ${line} ⚓ ñ 漢字\x1b[0m\r\n`;
  return utf8(text);
}

/** A small deterministic source of numbers below `bound`. */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state % bound;
  };
}

test("cuts anywhere lose nothing and show nothing twice", async () => {
  const all = output();
  const whole = viewer();
  whole.stream.attached();
  whole.stream.take({ kind: "hello", generation: 1n, offset: 0 });
  whole.stream.take({ kind: "output", offset: 0, bytes: all });
  await settled(whole.terminal);

  for (let seed = 1; seed <= 20; seed += 1) {
    const next = numbers(seed);
    const cut = viewer();
    let position = cut.stream.position();
    assert.equal(position, null);
    while ((position?.offset ?? 0) < all.length) {
      cut.stream.attached();
      let at: number = position?.offset ?? 0;
      cut.stream.take({ kind: "hello", generation: 1n, offset: at });
      // Some frames arrive, then the connection breaks; what was in flight behind them is gone.
      for (let frames = next(6); frames >= 0 && at < all.length; frames -= 1) {
        const length = 1 + next(3000);
        cut.stream.take({ kind: "output", offset: at, bytes: all.subarray(at, at + length) });
        at = Math.min(all.length, at + length);
      }
      if (next(2) === 0) await settled(cut.terminal);
      position = cut.stream.position();
      assert.equal(position?.offset, at);
    }
    await settled(cut.terminal);
    assert.equal(screen(cut.terminal), screen(whole.terminal), `seed ${seed}`);
  }
});

test("only what the screen has worked through is acknowledged", async () => {
  const v = viewer();
  v.stream.attached();
  v.stream.take({ kind: "hello", generation: 1n, offset: 0 });
  v.stream.take({ kind: "output", offset: 0, bytes: utf8("x".repeat(40_000)) });
  assert.deepEqual(v.acks, []);
  await settled(v.terminal);
  assert.deepEqual(v.acks, [{ offset: 40_000, urgent: true }]);
  v.stream.take({ kind: "output", offset: 40_000, bytes: utf8("y") });
  await settled(v.terminal);
  assert.deepEqual(v.acks.at(-1), { offset: 40_001, urgent: false });
});

test("a repaint replaces the screen, also behind half an escape sequence", async () => {
  const v = viewer();
  v.stream.attached();
  v.stream.take({ kind: "hello", generation: 1n, offset: 0 });
  v.stream.take({ kind: "output", offset: 0, bytes: utf8("old\r\n\x1b]0;half a tit") });
  v.stream.take({ kind: "repaint", offset: 9_000, bytes: utf8("new") });
  v.stream.take({ kind: "output", offset: 9_000, bytes: utf8("er") });
  await settled(v.terminal);
  assert.equal(screen(v.terminal), "newer");
  assert.deepEqual(v.stream.position(), { generation: 1n, offset: 9_002 });
  assert.ok(v.acks.every(({ offset }) => offset >= 9_000), "nothing from before the repaint is acknowledged");
});

test("another generation starts on a clean screen", async () => {
  const v = viewer();
  v.stream.attached();
  v.stream.take({ kind: "hello", generation: 1n, offset: 0 });
  v.stream.take({ kind: "output", offset: 0, bytes: utf8("first shell") });
  v.stream.take({ kind: "exit", code: 130 });
  v.stream.attached();
  v.stream.take({ kind: "hello", generation: 2n, offset: 0 });
  v.stream.take({ kind: "output", offset: 0, bytes: utf8("second") });
  await settled(v.terminal);
  assert.deepEqual(v.exits, [130]);
  assert.equal(screen(v.terminal), "second");
});

test("a size takes effect between the bytes around it", async () => {
  const v = viewer();
  v.stream.attached();
  v.stream.take({ kind: "hello", generation: 1n, offset: 0 });
  v.stream.take({ kind: "output", offset: 0, bytes: utf8("\x1b[999C1") });
  v.stream.take({ kind: "size", cols: 60, rows: 8 });
  v.stream.take({ kind: "output", offset: 7, bytes: utf8("\r\n\x1b[999C2") });
  await settled(v.terminal);
  assert.equal(v.terminal.cols, 60);
  const lines = screen(v.terminal).split("\n");
  assert.equal(lines[0]?.indexOf("1"), 39);
  assert.equal(lines[1]?.indexOf("2"), 59);
});

test("gaps and frames before hello are refused, overlaps are cut", async () => {
  const v = viewer();
  v.stream.attached();
  assert.throws(() => v.stream.take({ kind: "output", offset: 0, bytes: utf8("x") }), OrderError);
  v.stream.take({ kind: "hello", generation: 1n, offset: 0 });
  assert.throws(() => v.stream.take({ kind: "hello", generation: 1n, offset: 0 }), OrderError);
  v.stream.take({ kind: "output", offset: 0, bytes: utf8("abc") });
  v.stream.take({ kind: "output", offset: 1, bytes: utf8("bcd") });
  assert.throws(() => v.stream.take({ kind: "output", offset: 5, bytes: utf8("z") }), OrderError);
  await settled(v.terminal);
  assert.equal(screen(v.terminal), "abcd");
});

test("what is typed without a connection is kept in order, up to a bound", () => {
  const box = new Outbox(4);
  assert.ok(box.push(utf8("ab")));
  assert.ok(!box.push(utf8("cde")), "refused as a whole");
  assert.ok(box.push(utf8("cd")));
  assert.equal(box.size, 4);
  assert.deepEqual(box.drain().map((chunk) => new TextDecoder().decode(chunk)), ["ab", "cd"]);
  assert.equal(box.size, 0);
});
