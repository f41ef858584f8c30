import assert from "node:assert/strict";
import { test } from "node:test";
import { initials } from "../src/session/people";

test("initials tell people apart", () => {
  for (const [name, letters] of [
    ["Guest 1", "G1"],
    ["Guest 12", "G12"],
    ["Ada Lovelace", "AL"],
    ["ada", "A"],
    ["Ada King of Lovelace", "AL"],
    ["🚢 Captain", "🚢C"],
    ["", ""],
  ] as const) {
    assert.equal(initials(name), letters);
  }
});
