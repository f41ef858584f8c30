// The agent's screen model beside xterm.js: whoever is drawn a repaint sees what one sees who was there all the time, and
// goes on seeing it. The model is the agent's own code, in a small program that cargo builds.
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { Terminal } from "@xterm/headless";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, test } from "node:test";

const BUDGET = 4 << 20;

const cargo = spawn("cargo", ["run", "-q", "-p", "boatyard-agent", "--example", "repaint"], {
  stdio: ["pipe", "pipe", "inherit"],
});
after(() => void cargo.stdin.end());

/** The agent's model. */
const model = {
  command: (line: string): void => void cargo.stdin.write(`${line}\n`),
  begin: (cols: number, rows: number): void => model.command(`n ${cols} ${rows}`),
  resize: (cols: number, rows: number): void => model.command(`s ${cols} ${rows}`),
  feed(bytes: Uint8Array): void {
    model.command(`f ${bytes.length}`);
    cargo.stdin.write(bytes);
  },
  async repaint(budget = BUDGET): Promise<Uint8Array> {
    model.command(`p ${budget}`);
    const head = await read(4);
    return read(head.readUInt32LE());
  },
};

let answered = Buffer.alloc(0);
let wake: (() => void) | null = null;
cargo.stdout.on("data", (bytes: Buffer) => {
  answered = Buffer.concat([answered, bytes]);
  wake?.();
});
cargo.on("exit", (code) => {
  if (code) throw new Error(`the model ended with ${code}`);
});

async function read(length: number): Promise<Buffer> {
  while (answered.length < length) await new Promise<void>((resolve) => (wake = resolve));
  const bytes = answered.subarray(0, length);
  answered = answered.subarray(length);
  return bytes;
}

function terminal(cols: number, rows: number): Terminal {
  const terminal = new Terminal({ cols, rows, scrollback: 10_000, allowProposedApi: true, logLevel: "off" });
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = "11";
  return terminal;
}

const written = (terminal: Terminal, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => terminal.write(bytes, resolve));

/** What is visible of a terminal, and its modes, line by line. */
function state(terminal: Terminal): string[] {
  const inner = (terminal as unknown as { _core: Inner })._core;
  const lines = [];
  for (const buffer of [terminal.buffer.normal, terminal.buffer.alternate]) {
    // The alternate buffer has no scrollback, but xterm.js keeps some where it was made smaller while it was not shown.
    const from = buffer.type === "alternate" ? buffer.baseY : 0;
    lines.push(`${buffer.type} base ${buffer.baseY - from}`);
    if (buffer === terminal.buffer.active) lines.push(`cursor ${buffer.cursorX},${buffer.cursorY}`);
    // What leaving the alternate screen goes back to.
    if (buffer.type === "normal" && buffer !== terminal.buffer.active) {
      const { savedX, savedY, ybase } = inner.buffers.normal;
      lines.push(`saved ${Math.min(savedX, terminal.cols - 1)},${Math.min(Math.max(savedY - ybase, 0), terminal.rows - 1)}`);
    }
    const cell = buffer.getNullCell();
    for (let y = from; y < buffer.length; y += 1) {
      const line = buffer.getLine(y);
      if (!line) continue;
      let text = `${String(y - from).padStart(3)}${line.isWrapped ? "+" : " "}`;
      let last = "";
      for (let x = 0; x < terminal.cols; x += 1) {
        // A wide character that was cut in two, with the line of the cursor, cannot be drawn again: it counts as blank.
        const half = line.getCell(x, cell)?.getWidth() === 2 && (line.getCell(x + 1, cell)?.getWidth() ?? 1) > 0;
        const cut = half || (x === terminal.cols - 1 && line.getCell(x, cell)?.getWidth() === 2);
        line.getCell(x, cell);
        const blank = cut || (cell.getWidth() === 0 && cell.getChars() === "" && text.endsWith("·")) || (cell.getChars() === "" && cell.getWidth() === 1);
        const style = blank
          ? `${cell.getBgColorMode()}/${cell.getBgColor()}`
          : [
              `${cell.getFgColorMode()}/${cell.getFgColor()}/${cell.getBgColorMode()}/${cell.getBgColor()}`,
              cell.isBold(), cell.isDim(), cell.isItalic(), cell.isUnderline(), cell.isBlink(), cell.isInverse(),
              cell.isInvisible(), cell.isStrikethrough(), cell.isOverline(),
            ].map((part) => (typeof part === "number" ? Number(part !== 0) : part)).join("");
        if (style !== last && !(blank && style === "0/-1" && last === "")) text += `{${style}}`;
        last = style;
        text += blank ? "·" : cell.getWidth() === 0 ? (cell.getChars() === "" ? "" : `<${cell.getChars()}>`) : cell.getChars();
      }
      lines.push(text.replace(/(\{0\/-1\})?·*$/, ""));
    }
  }
  lines.push(JSON.stringify(terminal.modes));
  lines.push(`hidden ${inner.coreService.isCursorHidden} style ${inner.coreService.decPrivateModes.cursorStyle}`);
  lines.push(`mouse ${inner.coreMouseService.activeEncoding}`);
  lines.push(`title ${inner._inputHandler._windowTitle}`);
  return lines;
}

interface Inner {
  buffers: { normal: { savedX: number; savedY: number; ybase: number } };
  coreService: { isCursorHidden: boolean; decPrivateModes: { cursorStyle?: string } };
  coreMouseService: { activeEncoding: string };
  _inputHandler: { _windowTitle: string };
}

function compare(seen: Terminal, there: Terminal, what: string): void {
  const [a, b] = [state(seen), state(there)];
  const at = a.findIndex((line, index) => line !== b[index]);
  if (at < 0 && a.length === b.length) return;
  const context = (lines: string[]): string => lines.slice(Math.max(0, at - 2), at + 3).join("\n");
  assert.fail(`${what}: repainted\n${context(a)}\n-- there all the time\n${context(b)}`);
}

/** A small deterministic source of numbers below `bound`. */
function numbers(seed: number): (bound: number) => number {
  let state = seed | 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  };
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Something that programs put out. */
function piece(next: (bound: number) => number, cols: number, rows: number): string {
  const pick = <T>(of: readonly T[]): T => of[next(of.length)] as T;
  const csi = (...finals: string[]): string => `\x1b[${pick(finals)}`;
  const n = (bound: number): string => String(next(bound));
  const words = ["docker", " ", "run", " -it ", "alpine", "#", "漢字", "ñ", "e\u0301", "⚓", "🐳", "|", "日本"] as const;
  const text = (): string => Array.from({ length: 1 + next(12) }, () => pick(words)).join("");
  switch (next(24)) {
    case 0: case 1: case 2: case 3: return text();
    case 4: case 5: case 6: return `${text()}\r\n`;
    case 7: return "x".repeat(next(3 * cols));
    case 8: return `${text().repeat(1 + next(8))}\r\n`;
    case 9: return csi(`${30 + next(8)}m`, `1;${40 + next(8)}m`, "m", "38;5;123m", "48;2;1;2;3m", "38:2::9:8:7m", "4:3m", "0;7m", "22;24m", "9;53m", "95;102m");
    case 10: return csi("A", "B", "C", "D", `${n(9)}A`, `${n(9)}B`, `${n(40)}C`, `${n(40)}D`, "E", "2F", `${n(cols)}G`, `${n(rows)}d`);
    case 11: return csi(`${n(rows + 2)};${n(cols + 2)}H`, "H", `${n(rows)}e`, `${n(5)}a`);
    case 12: return csi("J", "J", "2J", "K", "1K", "2K", "K", "K", "3J", "H\x1b[1J");
    case 13: return csi("@", `${n(9)}@`, "P", `${n(9)}P`, "X", `${n(9)}X`, "L", `${n(4)}L`, "M", `${n(4)}M`);
    case 14: return csi("S", "T", `${n(4)}S`, `${n(4)}T`, `${n(9)}b`);
    case 15: return pick(["\r", "\n", "\b", "\t", "\x1bM", "\x1bD", "\x1bE", "\x0b", "\r\r\n", "\x07"]);
    case 16: return next(3) === 0 ? csi(`${1 + next(rows)};${1 + next(rows)}r`) : csi("r");
    case 17: return pick(["\x1b7", "\x1b8", "\x1b[s", "\x1b[u", "\x1b[I", "\x1b[2Z"]);
    case 18: return pick(["\x1b[?1049h", "\x1b[?1049l", "\x1b[?47h", "\x1b[?47l", "\x1b[?1049l", "\x1b[?1049l"]);
    case 19: return csi("?25l", "?25h", "?2004h", "?2004l", "?1h", "?1l", "?1000h", "?1002h", "?1000l", "?1006h", "?1006l", "?1004l", "?45h", "?45l", "4h", "4l", "4l", "?6h", "?6l", "?6l", "20h", "20l", "3 q", "6 q", " q", "!p");
    case 20: return pick(["\x1b]0;a title\x07", "\x1b]2;漢\x1b\\", "\x1b]8;;http://a/\x07link\x1b]8;;\x07", "\x1b]1;icon\x07", "\x1bPq#0\x1b\\", "\x1bX junk\x1b\\"]);
    case 21: return pick(["\x1b(0", "\x1b(B", "\x1b)0", "\x0e", "\x0f", "\x1b(A", "\x1b=", "\x1b>"]);
    case 22: return pick(["\u009b31m", "\x1b[3\x18", "\x1b[1\nm", "\x1b[?>5m", "\x1b[38;5m", "\x1b\x1b[1m", "\x1b[5;", "\x1b#", "\u0085"]);
    default: return `\x1b[${31 + next(6)}mfile-${n(1000)}.txt\x1b[0m  -rw-r--r-- ${n(99999)}\r\n`;
  }
}

/** What shells and their programs put out: whole lines, a prompt, full-screen programs for a while. */
function shell(): typeof piece {
  let full = false;
  return (next, cols, rows) => {
    if (full) {
      full = next(4) > 0;
      if (!full) return "\x1b[m\x1b[?1049l";
      return `\x1b[${1 + next(rows - 1)};${1 + next(cols)}H\x1b[7m${"status 漢字 ".slice(0, next(12))}\x1b[m`;
    }
    const line = `docker ${"a word and another, 漢字 too, ".repeat(next(12))}`;
    switch (next(10)) {
      case 0: case 1: case 2: case 3: return `\r\n\x1b[${31 + next(6)}m${line}\x1b[0m\r\n$ `;
      case 4: return `\r\x1b[K$ ${"docker run ".repeat(next(10))}`;
      case 5: return "\x1b[1mdocker\x1b[0m \x1b[48;5;20mimages\x1b[m";
      case 6: return `\x1b[?2004${next(2) ? "h" : "l"}\x1b]0;in ${next(9)}\x07`;
      case 7: return `\x1b[A\x1b[2K\x1b[9Cprogress ${next(100)} %\r\n`;
      case 8:
        full = true;
        return "\x1b[?1049h\x1b[H\x1b[2J~\r\n~";
      default: return `\r\n${"e\u0301-".repeat(next(60))}\r\n`;
    }
  };
}

/** As `piece`, without what xterm.js itself loses track of when sizes change: cursors saved on rows that move, scrolling on
 * the alternate screen. */
function flowing(next: (bound: number) => number, cols: number, rows: number): string {
  for (;;) {
    const text = piece(next, cols, rows);
    if (!/\x1b(7|8|\[s|\[u|\[\?(47|1049))/.test(text)) return text;
  }
}

interface Round {
  seed: number;
  /** Pieces of output, and what makes them. */
  pieces: number;
  make: typeof piece;
  /** Whether the size changes in between. */
  resizes: boolean;
}

async function round({ seed, pieces, make, resizes }: Round): Promise<void> {
  const next = numbers(seed);
  let [cols, rows] = [10 + next(70), 2 + next(24)];
  const there = terminal(cols, rows);
  model.begin(cols, rows);
  let late: Terminal | null = null;
  const history: string[] = [];
  for (let at = 0; at < pieces; at += 1) {
    if (resizes && next(12) === 0) {
      [cols, rows] = [12 + next(80), 2 + next(28)];
      history.push(`${cols}x${rows}`);
      model.resize(cols, rows);
      // xterm.js keeps what it cuts off the alternate screen, and shows it again; who came later never had it.
      if (there.buffer.active.type === "alternate") late = null;
      for (const one of [there, late]) one?.resize(cols, rows);
    } else {
      const text = make(next, cols, rows);
      let bytes = utf8(text);
      // Cut anywhere: in the middle of a sequence, of a character.
      if (next(10) === 0 && !text.includes("1049")) bytes = bytes.subarray(0, next(bytes.length + 1));
      history.push(JSON.stringify(new TextDecoder().decode(bytes)));
      model.feed(bytes);
      for (const one of [there, late]) if (one) await written(one, bytes);
    }
    const what = (): string => `seed ${seed}, step ${at}, ${cols}x${rows}, after ${history.slice(-6).join(" ")}`;
    if (late && next(8) === 0) compare(late, there, `going on, ${what()}`);
    if (next(12) === 0) {
      const fresh = terminal(cols, rows);
      await written(fresh, await model.repaint());
      compare(fresh, there, what());
      late = next(2) === 0 ? fresh : late;
    }
  }
}

const only = Number(process.env["SEED"] ?? 0);
const seeds = (count: number): number[] => (only ? [only] : Array.from({ length: count }, (_, index) => index + 1));

test("every character has the width that it has in the model", async () => {
  // The cursor's column after each character, beyond ASCII, tells.
  model.begin(40, 2);
  const there = terminal(40, 2);
  let text = "";
  for (let code = 0xa0; code < 0x20000; code += 1) {
    if (code >= 0xd800 && code < 0xe000) continue;
    text += `\r${String.fromCodePoint(code)}|`;
    if (code % 16 === 15) text += "\n";
  }
  model.feed(utf8(text));
  await written(there, utf8(text));
  const fresh = terminal(40, 2);
  await written(fresh, await model.repaint());
  compare(fresh, there, "characters");
});

test("a repaint is what one sees who was there, output alone", async () => {
  for (const seed of seeds(40)) await round({ seed, pieces: 120, make: piece, resizes: false });
});

test("a repaint is what one sees who was there, through changes of size", async () => {
  const line = `\r\n\x1b[33mdocker ${"a word and another, 漢字 too, ".repeat(9)}\x1b[0m\r\n$ `;
  for (const cols of [15, 16, 17, 20, 28, 40, 55, 70, 90]) {
    for (const rows of [3, 6, 12]) {
      const there = terminal(cols, rows);
      model.begin(cols, rows);
      model.feed(utf8(line + line));
      await written(there, utf8(line + line));
      for (const [c, r] of [[cols - 1, 12], [cols + 20, 4], [cols, rows]] as const) {
        model.resize(c, r);
        there.resize(c, r);
        const fresh = terminal(c, r);
        await written(fresh, await model.repaint());
        compare(fresh, there, `${cols}x${rows}, then ${c}x${r}`);
      }
    }
  }
});

test("a repaint is what one sees who was there, a shell's output through random changes of size", async () => {
  for (const seed of seeds(40)) await round({ seed, pieces: 120, make: shell(), resizes: true });
});

test("a repaint is what one sees who was there, any output through random changes of size", async () => {
  for (const seed of seeds(40)) await round({ seed, pieces: 120, make: flowing, resizes: true });
});
