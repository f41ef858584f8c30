// First of all: elements that are in the page already come to life as soon as they are made known.
import { defaults } from "./element.js";

const script = document.currentScript;
// The server that the script comes from is the one that is meant, unless an element says otherwise.
if (script instanceof HTMLScriptElement && script.src.startsWith("http")) defaults.server ??= new URL(script.src).origin;
