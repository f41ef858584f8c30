import { copyText } from "../ui/copy";
import { h, icon } from "../ui/dom";

/** Types a command into a named terminal of a node. */
export type Run = (node: string, terminal: string, command: string, enter: boolean) => Promise<void>;

/** Gives command blocks their buttons; a click on the command itself runs it too. */
export function setUpCommands(root: HTMLElement, run: Run, several: boolean): void {
  for (const figure of root.querySelectorAll<HTMLElement>("figure.cmd")) {
    const code = figure.querySelector("code");
    if (!code) continue;
    const text = (code.textContent ?? "").replace(/\n$/, "");
    const tools = h("div", { class: "tools" });
    if (!("norun" in figure.dataset)) tools.append(runButton(figure, code, text, run, several));
    else figure.classList.add("copy-only");
    tools.append(copyButton(text));
    figure.append(tools);
  }
}

/** A button that copies `text`. */
export function copyButton(text: string): HTMLButtonElement {
  const button = h("button", { type: "button", class: "tool", "aria-label": "Copy", title: "Copy" }, icon("copy"));
  button.addEventListener("click", () => {
    void copyText(text).then((done) => flash(button, done ? "done" : "failed"));
  });
  return button;
}

function runButton(figure: HTMLElement, code: HTMLElement, text: string, run: Run, several: boolean): HTMLButtonElement {
  const { node = "node1", terminal = "main" } = figure.dataset;
  const enter = !("noenter" in figure.dataset);
  const where = several || node !== "node1" ? `${terminal} on ${node}` : terminal;
  const elsewhere = terminal !== "main" || node !== "node1";
  const label = enter ? "Run" : "Type";
  const button = h(
    "button",
    { type: "button", class: "tool run", title: `${label} in terminal ${where}`, "aria-label": `${label} in terminal ${where}: ${text}` },
    icon("run"),
    h("span", {}, elsewhere ? `${label} in ${where}` : label),
  );
  const go = (): void => {
    void run(node, terminal, text, enter).then(
      () => flash(button, "done"),
      () => flash(button, "failed"),
    );
  };
  button.addEventListener("click", go);
  code.addEventListener("click", () => {
    // A drag that selects a part of the command is no click.
    if (getSelection()?.isCollapsed !== false) go();
  });
  figure.classList.add("runnable");
  return button;
}

export function flash(button: HTMLElement, result: "done" | "failed"): void {
  button.dataset.result = result;
  setTimeout(() => delete button.dataset.result, 1500);
}
