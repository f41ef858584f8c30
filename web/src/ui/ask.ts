import { h } from "./dom";

let count = 0;

/** What a dialog says and offers. */
interface Question {
  title: string;
  /** Text or elements below the title. */
  body: (Node | string)[];
  /** The buttons, the one that is meant last: what it answers, its words, and whether it is the main one. */
  answers: { value: string; label: string; primary?: boolean }[];
  wide?: boolean;
}

/** Asks in a dialog made for the occasion; resolves with the value of the button, or "" after Escape. `check` may keep a
 * button from closing it. */
export function askIn(question: Question, check: (value: string) => boolean = () => true): Promise<string> {
  const id = `ask-${(count += 1)}`;
  const focused = document.activeElement;
  const buttons = question.answers.map(({ value, label, primary }) =>
    h("button", { class: primary ? "button primary" : "button", value, ...(value === "" ? { formnovalidate: true } : {}) }, label),
  );
  const form = h(
    "form",
    { method: "dialog", class: "dialog-body" },
    h("h2", { id }, question.title),
    ...question.body,
    h("div", { class: "dialog-foot" }, ...buttons),
  );
  const dialog = h("dialog", { "aria-labelledby": id, class: question.wide ? "wide" : "" }, form);
  // Enter in a field means the main button, not the first.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
    event.preventDefault();
    buttons.at(-1)?.click();
  });
  form.addEventListener("submit", (event) => {
    const value = (event.submitter as HTMLButtonElement | null)?.value ?? "";
    if (value !== "" && !check(value)) event.preventDefault();
  });
  // Keys meant for the dialog are no keys of the page behind it.
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close("");
  });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (focused instanceof HTMLElement) focused.focus();
      resolve(dialog.returnValue);
    }),
  );
}

/** Asks whether something is meant; the safe answer is the one that has the focus. */
export async function confirmed(title: string, text: string, deed: string): Promise<boolean> {
  const answers = [
    { value: "", label: "Cancel" },
    { value: "yes", label: deed, primary: true },
  ];
  return (await askIn({ title, body: [h("p", {}, text)], answers })) === "yes";
}

/** Asks for a text; null where none is given. `wrong` says what is wrong with one. */
export async function askText(
  title: string,
  label: string,
  value: string,
  deed: string,
  wrong: (value: string) => string | null,
): Promise<string | null> {
  const id = `ask-text-${(count += 1)}`;
  const input = h("input", { id, class: "field", value, autofocus: true, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-wrong` });
  const message = h("p", { class: "field-wrong", id: `${id}-wrong`, role: "alert" });
  // A name without its suffix is what is changed most often.
  const dot = value.lastIndexOf(".");
  requestAnimationFrame(() => input.setSelectionRange(0, dot > 0 ? dot : value.length));
  const answers = [
    { value: "", label: "Cancel" },
    { value: "yes", label: deed, primary: true },
  ];
  const body = [h("label", { class: "field-label", for: id }, label), input, message];
  const answer = await askIn({ title, body, answers }, () => {
    message.textContent = wrong(input.value) ?? "";
    return message.textContent === "";
  });
  return answer === "yes" ? input.value : null;
}
