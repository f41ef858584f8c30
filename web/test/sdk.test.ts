import assert from "node:assert/strict";
import { test } from "node:test";
import { BoatyardError, kindOf } from "../sdk/src/errors";
import { Keep } from "../sdk/src/keep";
import { kebab, left, numberOf, numberOfClasses, pathOf, typed } from "../sdk/src/words";

test("a class names its terminal exactly", () => {
  for (const [name, number] of [
    ["term1", 1],
    [".term1", 1],
    ["term10", 10],
    ["language-term2", 2],
    ["language-.term2", 2],
    ["lang-.term3", 3],
    ["term0", null],
    ["term100", null],
    ["term1x", null],
    ["xterm1", null],
    ["terminal", null],
    ["term", null],
    ["my-term1", null],
    ["", null],
  ] as const) {
    assert.equal(numberOf(name), number, name);
  }
  assert.equal(numberOfClasses(["highlight", "language-.term10", "term1"]), 10);
  assert.equal(numberOfClasses(["highlighter-rouge"]), null);
});

test("a block is typed with its last newline as Enter, and all else as it is", () => {
  assert.equal(typed("docker ps\n"), "docker ps");
  assert.equal(typed("docker ps"), "docker ps");
  assert.equal(typed("  indented\n\n"), "  indented\n");
  assert.equal(typed("a\r\nb\r\n"), "a\nb");
});

test("a port link keeps its path, and nothing of the page that it stands on", () => {
  assert.equal(pathOf("/"), "/");
  assert.equal(pathOf("/a/b?c=d#e"), "/a/b?c=d#e");
  assert.equal(pathOf("https://elsewhere.example/x?y"), "/x?y");
  assert.equal(pathOf("#"), "/");
  assert.equal(pathOf(""), "/");
  assert.equal(pathOf(null), "/");
  assert.equal(pathOf("http://["), "/");
});

test("words", () => {
  assert.equal(kebab("brightBlack"), "bright-black");
  assert.equal(left("2026-01-01T02:00:00Z", Date.parse("2026-01-01T00:00:30Z")), "2 h 0 min");
  assert.equal(left("2026-01-01T00:05:00Z", Date.parse("2026-01-01T00:00:00Z")), "5 min");
  assert.equal(left("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:00:01Z")), "0 min");
});

test("a failure carries what the server said", () => {
  const problem = { type: "about:blank", status: 503, title: "All places are taken", detail: "All 40.", code: "full", running: 40 };
  const error = new BoatyardError(kindOf(problem), problem);
  assert.deepEqual([error.kind, error.status, error.code, error.message, error.problem.running], ["full", 503, "full", "All 40.", 40]);
  assert.ok(error instanceof Error);
  for (const [status, code, kind] of [
    [0, undefined, "unreachable"],
    [429, "client-limit", "limit"],
    [410, undefined, "ended"],
    [404, undefined, "refused"],
    [503, undefined, "refused"],
  ] as const) {
    assert.equal(kindOf({ type: "about:blank", status, title: "x", ...(code && { code }) }), kind);
  }
});

/** Storage as a browser has it. */
function storage(): Storage {
  const all = new Map<string, string>();
  return {
    getItem: (name: string) => all.get(name) ?? null,
    setItem: (name: string, value: string) => void all.set(name, value),
    removeItem: (name: string) => void all.delete(name),
  } as Storage;
}

test("a tab keeps its session; another tab finds it where it has the token", () => {
  const globals = globalThis as { sessionStorage?: Storage; localStorage?: Storage };
  globals.localStorage = storage();
  globals.sessionStorage = storage();
  const first = new Keep("https://lab.example", "{}", true);
  first.session = { id: "a", token: "t-a" };
  first.client = "me.signature";
  assert.deepEqual(new Keep("https://lab.example", "{}", true).session, { id: "a", token: "t-a" });
  assert.equal(new Keep("https://lab.example", '{"template":"two"}', true).session, null, "another kind of session");
  assert.equal(new Keep("https://other.example", "{}", true).session, null, "another server");

  globals.sessionStorage = storage();
  const second = new Keep("https://lab.example", "{}", true);
  assert.equal(second.session, null);
  assert.equal(second.client, "me.signature");
  assert.deepEqual(second.earlier(["x", "a"]), { id: "a", token: "t-a" });
  second.forget("a");
  assert.equal(second.earlier(["a"]), null);

  // What anything else of the site wrote there is no session.
  globals.sessionStorage.setItem("boatyard:https://lab.example:session:{}", '{"id":"a","token":"t, a"}');
  assert.equal(second.session, null);
  globals.localStorage.setItem("boatyard:https://lab.example:sessions", '[1,null,{"id":"b","token":"t-b"}]');
  assert.deepEqual(second.earlier(["b"]), { id: "b", token: "t-b" });
  delete globals.sessionStorage;
  delete globals.localStorage;
});

test("where storage is forbidden, the page itself remembers", () => {
  const keep = new Keep("https://lab.example", "{}", true);
  keep.session = { id: "a", token: "t" };
  assert.deepEqual(keep.session, { id: "a", token: "t" });
  keep.forget("a");
  assert.equal(keep.session, null);
  const none = new Keep("https://lab.example", "{}", false);
  none.session = { id: "b", token: "t" };
  assert.equal(none.session, null, "a page that keeps nothing goes on with nothing");
});
