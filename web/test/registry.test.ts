import assert from "node:assert/strict";
import { test } from "node:test";
import type { PushedLayer, PushedTag, RegistryContents } from "../src/api/types";
import { ago, bytes, changes, deletingRepository, deletingTag, layersWords, plural, runCommand, sharedWords, shortDigest } from "../src/registry/words";

function layer(digest: string, size: number, catalogue: string[] = [], shared_with: string[] = []): PushedLayer {
  return { digest, size, created_by: null, catalogue, shared_with };
}

function tag(name: string, digest: string, layers: PushedLayer[], ports: number[] = []): PushedTag {
  return { name, digest, layers, ports, pushed_at: "2026-01-01T00:00:00Z", created: null, media_type: "", platforms: [], size: 0 };
}

function contents(repositories: Record<string, PushedTag[]>): RegistryContents {
  return { left_off: 0, quota: 1, stored: 0, repositories: Object.entries(repositories).map(([name, tags]) => ({ name, tags })) };
}

test("sizes, digests and ages as people read them", () => {
  assert.deepEqual([0, 999, 1000, 34_648_612, 999_600_000, 2 ** 31].map(bytes), ["0 B", "999 B", "1.00 kB", "34.6 MB", "1.00 GB", "2.15 GB"]);
  assert.equal(shortDigest(`sha256:${"ab".repeat(32)}`), "sha256:abababababab");
  const now = Date.parse("2026-01-01T12:00:00Z");
  assert.deepEqual(
    ["2026-01-01T12:00:05Z", "2026-01-01T11:59:50Z", "2026-01-01T11:57:00Z", "2026-01-01T09:00:00Z", "2025-12-28T12:00:00Z"].map((at) => ago(at, now)),
    ["just now", "just now", "3 min ago", "3 h ago", "4 days ago"],
  );
  assert.deepEqual([plural(1, "repository"), plural(2, "repository"), plural(2, "tag")], ["1 repository", "2 repositories", "2 tags"]);
});

test("who shares a layer", () => {
  assert.equal(sharedWords(layer("a", 1, ["debian", "node"], ["me/x:1"])), "from the catalogue: debian");
  assert.equal(sharedWords(layer("a", 1, [], ["me/x:1", "me/y:1", "me/z:1"])), "shared with me/x:1, me/y:1 and others");
  assert.equal(sharedWords(layer("a", 1)), "only here");
  const image = tag("1", "d", [layer("a", 9, ["debian"]), layer("b", 5, [], ["me/x:1"]), layer("c", 7), layer("e", 3)]);
  assert.equal(layersWords(image), "4 layers: 1 from the catalogue; 1 shared with other tags; 2 only here, 10 B");
  assert.equal(layersWords(tag("1", "d", [])), "0 layers");
});

test("what goes when something is deleted", () => {
  const base = layer("a", 9, ["debian"]);
  const alike = contents({ "me/app": [tag("1", "x", [base, layer("b", 5, [], ["me/app:latest"])]), tag("latest", "x", [])] });
  assert.match(deletingTag("me/app", alike.repositories[0]!.tags[0]!, alike)[0]!, /^Only the name goes: latest still names the same image/);
  const own = contents({ "me/app": [tag("1", "x", [base, layer("b", 5)])] });
  assert.match(deletingTag("me/app", own.repositories[0]!.tags[0]!, own)[0]!, /^1 layer goes .* 5 B/);
  // A layer that two tags of a repository share goes with the repository, but not one that another repository has.
  const two = contents({
    "me/app": [tag("1", "x", [base, layer("b", 5, [], ["me/app:2"])]), tag("2", "y", [layer("b", 5, [], ["me/app:1"]), layer("c", 7, [], ["me/web:1"])])],
    "me/web": [tag("1", "z", [layer("c", 7, [], ["me/app:2"])])],
  });
  const [tags, freed] = deletingRepository("me/app", two);
  assert.equal(tags, "Both tags go: 1 and 2.");
  assert.match(freed!, /^1 layer goes .* 5 B/);
});

test("an image is run where it says that it listens", () => {
  assert.equal(runCommand("r/app:1", tag("1", "x", [], [5000])), "docker run -d -p 5000:5000 r/app:1");
  assert.equal(runCommand("r/app:1", tag("1", "x", [], [80, 443])), "docker run -d -p 8080:80 r/app:1");
  assert.equal(runCommand("r/app:1", tag("1", "x", [])), "docker run --rm -it r/app:1");
});

test("what a push changed", () => {
  const before = contents({ "me/app": [tag("1", "x", []), tag("2", "y", [])] });
  const after = contents({ "me/app": [tag("1", "z", [])], "me/web": [tag("1", "w", [])] });
  const { words, fresh } = changes(before, after);
  assert.deepEqual(words, ["me/app:1 now names another image.", "me/web:1 was pushed.", "me/app:2 was deleted."]);
  assert.deepEqual([...fresh], ["me/app:1", "me/web:1"]);
  assert.deepEqual(changes(after, after).words, []);
});
