import { recall, remember } from "../../src/ui/memory.js";

const listeners = new Set<(on: boolean) => void>();

/** Whether terminals tell their output to screen readers, as chosen in this browser. */
export function isReading(): boolean {
  return recall("screen-reader") === "on";
}

export function setReading(on: boolean): void {
  remember("screen-reader", on ? "on" : null);
  for (const listener of listeners) listener(on);
}

/** Calls back when it is chosen anew; answers how to stop. */
export function onReading(listener: (on: boolean) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
