import assert from "node:assert/strict";
import { test } from "node:test";
import { controlOf } from "../src/terminal/keybar";

test("a held Ctrl makes control characters of keys that have one", () => {
  assert.equal(controlOf("c"), "\x03");
  assert.equal(controlOf("C"), "\x03");
  assert.equal(controlOf("["), "\x1b");
  assert.equal(controlOf(" "), "\0");
  assert.equal(controlOf("é"), null);
  assert.equal(controlOf("words"), null);
  assert.equal(controlOf("\r"), null);
});
