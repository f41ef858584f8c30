import { BoatyardTerminal, TAG } from "./element.js";
import { sendFiles } from "./files.js";
import { hint } from "./hint.js";
import pageStyles from "./page.css";
import { numberOf, numberOfClasses, pathOf, typed } from "./words.js";

/** How long a block says how it went, in milliseconds. */
const SAID = 2_500;

const attached = new WeakSet<Element>();
let styled = false;

/**
 * Brings a page to life: a click on a code block of class `term1`, `term2`, … types it into the terminal of that number, links
 * with `data-port` open that port of a terminal's node, and what has `data-upload-path` sends files there. To be called again
 * after something was added to the page; what is attached stays so.
 */
export function attach(root: ParentNode = document): void {
  if (!styled) {
    styled = true;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(pageStyles);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }
  for (const marked of root.querySelectorAll('[class*="term"]')) {
    const number = numberOfClasses(marked.classList);
    if (number === null || marked.matches(TAG) || marked.closest(TAG)) continue;
    for (const block of blocksOf(marked)) if (fresh(block)) attachBlock(block, number);
  }
  for (const link of root.querySelectorAll<HTMLElement>("[data-port]")) if (fresh(link)) attachPort(link);
  for (const source of root.querySelectorAll<HTMLElement>("[data-upload-path]")) if (fresh(source)) attachUpload(source);
}

/** The terminal of a number, exactly; null where the page has none. */
export function terminal(number: number): BoatyardTerminal | null {
  for (const each of document.querySelectorAll(TAG)) if (each instanceof BoatyardTerminal && each.number === number) return each;
  return null;
}

function fresh(element: Element): boolean {
  if (attached.has(element)) return false;
  attached.add(element);
  return true;
}

/** What is clicked of what bears the class: itself, or the blocks that a highlighter put into it. */
function blocksOf(marked: Element): HTMLElement[] {
  const around = marked.closest<HTMLElement>("pre");
  if (around) return [around];
  const inside = [...marked.querySelectorAll<HTMLElement>("pre:not(.lineno, .lineno *)")];
  if (inside.length > 0) return inside;
  return marked instanceof HTMLElement && (marked.textContent ?? "").trim() !== "" ? [marked] : [];
}

function attachBlock(block: HTMLElement, number: number): void {
  const text = (): string => typed((block.querySelector("code") ?? block).textContent ?? "");
  const enter = block.closest("[data-no-enter]") === null;
  const words = `${enter ? "Run" : "Type"} in terminal ${number}`;
  block.dataset.boatyardBlock = "";
  const face = faceOf(block);
  if (face) {
    face.setAttribute("role", "button");
    face.setAttribute("aria-description", words);
    face.tabIndex = 0;
  }
  const offer = (): void => hint().say(block, words, "offer");
  const go = async (byPointer: boolean): Promise<void> => {
    const target = terminal(number);
    if (!target) return hint().say(block, `This page has no terminal ${number}`, "failed", SAID);
    // On a narrow page the reader would be carried away from the text; there, only a row of terminals moves.
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
    hint().say(block, `Waiting for terminal ${number}…`, "offer");
    try {
      await target.type(text(), enter);
      hint().say(block, `Typed into terminal ${number}`, "done", SAID);
      // Whoever works by keyboard stays in the text: the terminal would keep all keys to itself.
      if (byPointer && matchMedia("(pointer: fine)").matches) target.focus();
    } catch (error) {
      hint().say(block, `Not typed: ${(error as Error).message}`, "failed", SAID * 2);
    }
  };
  if (matchMedia("(hover: hover)").matches) {
    block.addEventListener("pointerenter", offer);
    block.addEventListener("pointerleave", () => hint().clear(block));
  }
  face?.addEventListener("focus", () => face.matches(":focus-visible") && offer());
  face?.addEventListener("blur", () => hint().clear(block));
  block.addEventListener("click", (event) => {
    // Links in a block are links, and a drag that selects a part of it is no click.
    const selection = getSelection();
    const selects = selection !== null && !selection.isCollapsed && selection.containsNode(block, true);
    if (!(event.target as Element).closest("a, button, input") && !selects) void go(event.detail > 0);
  });
  face?.addEventListener("keydown", (event) => {
    if (event.target !== face || (event.key !== "Enter" && event.key !== " ") || event.repeat) return;
    event.preventDefault();
    void go(false);
  });
}

/** What of a block is the button: not what holds a link or a button of its own, such as one that copies. */
function faceOf(block: HTMLElement): HTMLElement | null {
  const own = "a, button, input";
  if (block.closest("a, button")) return null;
  if (!block.querySelector(own)) return block;
  const code = block.querySelector<HTMLElement>("code");
  return code && !code.querySelector(own) ? code : null;
}

function attachPort(link: HTMLElement): void {
  const port = Number(link.dataset.port);
  const number = numberOf(link.dataset.term ?? "term1");
  if (number === null || !Number.isInteger(port) || port < 1 || port > 65535) {
    console.warn("boatyard: this is no port of a terminal:", link);
    return;
  }
  link.title ||= `Port ${port} of terminal ${number}, in a new tab`;
  const open = (event: MouseEvent): void => {
    // Its address is a path on the port; on this page's origin it would lead nowhere.
    if (event.button > 1) return;
    event.preventDefault();
    const target = terminal(number);
    if (!target?.boatyard) return hint().say(link, `This page has no terminal ${number}`, "failed", SAID);
    // A failure is told in the tab that was opened for it.
    void target.boatyard.openPort(target.node, port, pathOf(link.getAttribute("href"))).catch((error: unknown) => console.warn("boatyard:", error));
  };
  link.addEventListener("click", open);
  link.addEventListener("auxclick", open);
}

function attachUpload(source: HTMLElement): void {
  const path = source.dataset.uploadPath ?? "";
  const number = numberOf(source.dataset.term ?? "term1");
  if (number === null || !path.startsWith("/")) {
    console.warn("boatyard: data-upload-path is no absolute path, or data-term no terminal:", source);
    return;
  }
  const send = async (files: () => Promise<{ name: string; content: Blob }[]>): Promise<void> => {
    source.setAttribute("aria-busy", "true");
    try {
      const target = terminal(number);
      if (!target?.boatyard) throw new Error(`this page has no terminal ${number}`);
      const sent = await sendFiles(target.boatyard, target.node, path, await files());
      hint().say(source, `${sent} written`, "done", SAID);
    } catch (error) {
      hint().say(source, `Not sent: ${(error as Error).message}`, "failed", SAID * 2);
    }
    source.removeAttribute("aria-busy");
  };
  if (source instanceof HTMLInputElement && source.type === "file") {
    source.addEventListener("change", () => {
      const chosen = [...(source.files ?? [])].map((file) => ({ name: file.name, content: file }));
      if (chosen.length > 0) void send(() => Promise.resolve(chosen));
      source.value = "";
    });
    return;
  }
  source.addEventListener("click", (event) => {
    event.preventDefault();
    const url = new URL(source.dataset.uploadUrl ?? source.getAttribute("href") ?? "", document.baseURI);
    void send(async () => {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(`${url.pathname} is not there (${answer.status})`);
      return [{ name: decodeURIComponent(url.pathname.split("/").at(-1) ?? ""), content: await answer.blob() }];
    });
  });
}
