import type { SessionApi } from "../api/client";
import { copyText } from "../ui/copy";
import { h, icon } from "../ui/dom";
import { toast } from "../ui/toast";
import { VariableCommand } from "./variables";

/** Types a command into a named terminal of a node. */
export type Run = (node: string, terminal: string, command: string, enter: boolean) => Promise<void>;

/** Gives command blocks their buttons; a click on the command itself runs it too. Answers those with variables. */
export function setUpCommands(root: HTMLElement, api: SessionApi, run: Run, several: boolean): VariableCommand[] {
  const all: VariableCommand[] = [];
  for (const figure of root.querySelectorAll<HTMLElement>("figure.cmd")) {
    const code = figure.querySelector("code");
    if (!code) continue;
    const plain = (code.textContent ?? "").replace(/\n$/, "");
    const tools = h("div", { class: "tools" });
    figure.append(tools);
    const variable = VariableCommand.of(figure, code, api);
    const text = variable ? () => resolved(variable) : () => Promise.resolve(plain);
    if (!("norun" in figure.dataset)) tools.append(runButton(figure, code, variable?.deed ?? plain, text, run, several));
    else figure.classList.add("copy-only");
    const copy = variable ? copyButton(text) : copyButton(plain);
    tools.append(copy);
    if (!variable) continue;
    variable.onReady((ready) => {
      // What cannot be done now stays in reach of the keyboard, and says why.
      for (const button of tools.querySelectorAll("button")) button.setAttribute("aria-disabled", String(!ready));
    });
    all.push(variable);
  }
  return all;
}

async function resolved(command: VariableCommand): Promise<string> {
  try {
    if (command.obstacle) throw new Error(command.obstacle);
    return await command.resolve();
  } catch (error) {
    toast((error as Error).message.replaceAll("`", ""), "alert");
    throw error;
  }
}

/** A button that copies `text`, or what it is by the time of the click. */
export function copyButton(text: string | (() => Promise<string>)): HTMLButtonElement {
  const button = h("button", { type: "button", class: "tool", "aria-label": "Copy", title: "Copy" }, icon("copy"));
  const copy = async (): Promise<boolean> => copyText(typeof text === "string" ? text : await text());
  button.addEventListener("click", () => {
    void copy().then(
      (done) => flash(button, done ? "done" : "failed"),
      () => flash(button, "failed"),
    );
  });
  return button;
}

function runButton(
  figure: HTMLElement,
  code: HTMLElement,
  command: string,
  text: () => Promise<string>,
  run: Run,
  several: boolean,
): HTMLButtonElement {
  const { node = "node1", terminal = "main" } = figure.dataset;
  const enter = !("noenter" in figure.dataset);
  const where = several || node !== "node1" ? `${terminal} on ${node}` : terminal;
  const elsewhere = terminal !== "main" || node !== "node1";
  const label = enter ? "Run" : "Type";
  const button = h(
    "button",
    { type: "button", class: "tool run", title: `${label} in terminal ${where}`, "aria-label": `${elsewhere ? `${label} in ${where}` : `${label} in terminal ${where}`}: ${command}` },
    icon("run"),
    h("span", {}, elsewhere ? `${label} in ${where}` : label),
  );
  const go = (): void => {
    void text()
      .then((typed) => run(node, terminal, typed, enter))
      .then(
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
