import { copyButton, flash } from "../lesson/commands";
import type { PanelContext } from "../session/panels";
import { h, icon } from "../ui/dom";

/** A command in a line of its own, to run in a node's terminal or to copy. */
export function commandLine(command: string, context: PanelContext, node: () => string): HTMLElement {
  const several = context.nodes().length > 1;
  const where = several ? `Run on ${node()}` : "Run";
  const run = h("button", { type: "button", class: "tool run", "aria-label": `${where}: ${command}` }, icon("run"), h("span", {}, where));
  run.addEventListener("click", () => {
    context.run(node(), command, true).then(
      () => flash(run, "done"),
      () => flash(run, "failed"),
    );
  });
  const copy = copyButton(command);
  copy.setAttribute("aria-label", `Copy: ${command}`);
  return h("div", { class: "reg-command" }, h("code", {}, command), h("span", { class: "reg-command-tools" }, run, copy));
}
