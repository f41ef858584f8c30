import assert from "node:assert/strict";
import { test } from "node:test";
import { readPort } from "../src/session/port";

test("a port that is typed is read, or what is wrong is said", () => {
  for (const [typed, port] of [["1", 1], [" 8080 ", 8080], [":3000", 3000], ["65535", 65535], ["0080", 80]] as const) assert.equal(readPort(typed), port);
  for (const wrong of ["", "  ", "0", "65536", "-1", "80.5", "8e3", "http", "99999999"]) assert.equal(typeof readPort(wrong), "string", wrong);
});
