// What a page gets from one script tag: the SDK as `boatyard`, and a page that works by itself.
import "./own-server.js";
import * as boatyard from "./index.js";

Object.assign(globalThis, { boatyard });

const script = document.currentScript;
if (!(script instanceof HTMLScriptElement) || !("manual" in script.dataset)) {
  const go = (): void => boatyard.attach();
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", go);
  else go();
}
