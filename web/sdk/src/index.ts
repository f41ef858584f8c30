/**
 * Terminals of a Boatyard server in any page.
 *
 * Importing this makes `<boatyard-terminal>` known; `attach()` makes the page's code blocks, port links and uploads work with
 * it. `Boatyard` is the session beneath, for pages that do more.
 */
import { define } from "./element.js";

export { attach, terminal } from "./attach.js";
export { Boatyard } from "./boatyard.js";
export { BoatyardTerminal } from "./element.js";
export { BoatyardError, type ErrorKind } from "./errors.js";
export type * from "./types.js";

define();

declare global {
  interface HTMLElementTagNameMap {
    "boatyard-terminal": import("./element.js").BoatyardTerminal;
  }
}
