import assert from "node:assert/strict";
import { test } from "node:test";
import { slept } from "../src/api/wake";

test("a busy machine is no sleeping one", () => {
  assert.equal(slept(2_000, 2_000, false), false);
  assert.equal(slept(30_000, 30_000, false), false);
  assert.equal(slept(30_000, 30_000, true), false);
  // The clock on the wall was set back.
  assert.equal(slept(-3_600_000, 2_000, false), false);
});

test("sleep is seen by the clock that stands still in it, on Windows by its length", () => {
  assert.equal(slept(30_000, 2_000, false), true);
  assert.equal(slept(60_000, 60_000, true), true);
});
