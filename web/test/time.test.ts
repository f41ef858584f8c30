import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "../src/api/backoff";
import { span, spoken } from "../src/ui/time";

test("what is left is told in the unit that matters", () => {
  assert.equal(span(2 * 3600 + 5 * 60 + 59), "2 h 05 min");
  assert.equal(span(1799), "29 min");
  assert.equal(span(299), "4:59");
  assert.equal(span(9), "0:09");
  assert.equal(span(-3), "0:00");
  assert.equal(spoken(300), "5 minutes");
  assert.equal(spoken(60), "1 minute");
});

test("tries come later and later, but never later than ten seconds", () => {
  assert.equal(backoff(0, () => 1), 250);
  assert.equal(backoff(0, () => 0), 125);
  assert.equal(backoff(30, () => 1), 10_000);
});
