import assert from "node:assert/strict";
import { test } from "node:test";
import { portOf } from "../src/terminal/links";

test("what a program calls localhost is its sandbox", () => {
  for (const host of ["localhost", "127.0.0.1", "127.0.0.2", "0.0.0.0", "[::]", "[::1]", "node1"]) {
    assert.deepEqual(portOf(`http://${host}:5000/`, "node1"), { port: "5000", path: "/" }, host);
  }
  assert.deepEqual(portOf("http://localhost", "node1"), { port: "80", path: "/" });
  assert.deepEqual(portOf("http://localhost:8888/lab?token=abc#x", "node1"), { port: "8888", path: "/lab?token=abc#x" });
});

test("other links lead where they say", () => {
  for (const link of ["https://hub.docker.com", "http://localhost.example.org:80/", "http://node2:80/", "https://localhost:1/", "no link"]) {
    assert.equal(portOf(link, "node1"), null, link);
  }
});
