import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment, ServiceState } from "../src/api/types";
import { words } from "../src/session/deployment";

function deployment(stage: Deployment["stage"], states: ServiceState[], more: Partial<Deployment> = {}): Deployment {
  const services = states.map((state, n) => ({ name: `s${n}`, image: "nginx", state, words: state }));
  return { name: "shop", source: "shop", swarm: false, command: "", terminal: "main", stage, services, downloading: null, port: null, error: null, ...more };
}

test("how far a deployment is, in one sentence", () => {
  const port = { node: "node1", port: 8080, answers: false };
  for (const [d, sentence] of [
    [deployment("preparing", ["waiting"]), "shop: its files are put in place"],
    [deployment("deploying", ["running", "pulling"], { downloading: 12_345_678 }), "shop is being deployed: 1 of 2 services run, downloading (12.3 MB)"],
    [deployment("starting", ["running", "done"], { port }), "shop: 2 of 2 services run; port 8080 does not answer yet"],
    [deployment("starting", ["created"]), "shop is starting: its service does not run yet"],
    [deployment("ready", ["running"], { port: { ...port, answers: true } }), "shop runs, and answers on port 8080"],
    [deployment("failed", ["failed"]), "shop does not run as it should"],
  ] as const) {
    assert.equal(words(d), sentence);
  }
});
