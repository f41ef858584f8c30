import assert from "node:assert/strict";
import { test } from "node:test";
import { languageOf } from "../src/files/languages";
import { addressable, base, byName, join, parent, size, within, wrongName } from "../src/files/paths";

test("paths are taken apart and put together", () => {
  assert.deepEqual([parent("/a/b"), parent("/a"), base("/a/b c"), base("/")], ["/a", "/", "b c", "/"]);
  assert.deepEqual([join("/", "a"), join("/a", "b/c"), join("/a", "/b")], ["/a", "/a/b/c", "/b"]);
  assert.ok(within("/a/b", "/a") && within("/a", "/a") && within("/a", "/") && !within("/ab", "/a"));
});

test("names that need care", () => {
  for (const good of ["a", "-rf *", "ü/δ", "/root/x", "a..b", ".env", "folder/", "x".repeat(255)]) assert.equal(wrongName(good), null, good);
  for (const bad of ["", "  ", "/", "..", "a/../b", "./a", "a//b", "a\nb", "\0", "ü".repeat(128)]) assert.notEqual(wrongName(bad), null, JSON.stringify(bad));
  assert.ok(addressable("ü") && !addressable("b\ufffd"));
});

test("sizes and order are those that people expect", () => {
  assert.deepEqual([0, 999, 1_000, 9_940, 9_960, 999_600, 5_000_000_000].map(size), ["0 B", "999 B", "1.0 KB", "9.9 KB", "10 KB", "1.0 MB", "5.0 GB"]);
  assert.deepEqual(["file10", "File2", "file1"].sort(byName), ["file1", "File2", "file10"]);
});

test("a language is known by its name, else by its first line", () => {
  for (const [name, text, language] of [
    ["Dockerfile", "", "Dockerfile"],
    ["Dockerfile.dev", "", "Dockerfile"],
    ["web.dockerfile", "", "Dockerfile"],
    ["compose.yaml", "", "YAML"],
    ["app.py", "", "Python"],
    ["run.sh", "", "Shell"],
    [".bashrc", "", "Shell"],
    ["index.mjs", "", "JavaScript"],
    ["daemon.json", "", "JSON"],
    [".env", "", "Settings"],
    ["nginx.conf", "", "nginx"],
    ["tool", "#!/usr/bin/env python3\n", "Python"],
    ["tool", "#!/bin/sh\n", "Shell"],
    ["notes", "text", "Text"],
  ] as const) {
    assert.equal(languageOf(name, text).name, language, name);
  }
});
