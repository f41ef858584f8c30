import { h, icon } from "../ui/dom";
import { toast } from "../ui/toast";
import { copyButton, flash } from "./commands";

/** Gives file blocks their buttons: write the file on its node, or copy it. */
export function setUpFiles(root: HTMLElement, write: (node: string, path: string, content: string) => Promise<void>): void {
  for (const figure of root.querySelectorAll<HTMLElement>("figure.file")) {
    const { path, node = "node1" } = figure.dataset;
    const content = figure.querySelector("code")?.textContent;
    if (!path || content == null) continue;
    const button = h(
      "button",
      { type: "button", class: "tool write", title: `Write ${path} on ${node}`, "aria-label": `Write the file ${path} on ${node}` },
      icon("file"),
      h("span", {}, "Write this file"),
    );
    button.addEventListener("click", () => {
      button.disabled = true;
      write(node, path, content)
        .then(() => {
          flash(button, "done");
          figure.classList.add("written");
          button.querySelector("span")!.textContent = "Write again";
          toast(`${path} is written.`, "good");
        })
        .catch((error: unknown) => {
          flash(button, "failed");
          toast(`${path} was not written: ${(error as Error).message}`, "alert");
        })
        .finally(() => (button.disabled = false));
    });
    figure.append(h("div", { class: "tools" }, button, copyButton(content)));
  }
}
