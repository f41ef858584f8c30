import type { PersonView, TerminalAt } from "../api/types";
import { setUpDisclosure } from "../ui/disclosure";
import { h, need } from "../ui/dom";
import { recall, remember } from "../ui/memory";
import { toast } from "../ui/toast";
import { may } from "./rights";

/** Someone who reloads the page is back within this time, and has not left. */
const AWAY = 4_000;
/** How long after a key someone counts as typing. */
const TYPES = 2_000;
/** Of more than so many who come and go is told to screen readers alone. */
const FEW = 5;
/** So many have initials in the bar. */
const SHOWN = 3;
const TONES = 6;

/** Who comes says a name a moment later. */
const NAMED = 700;

const DOES = { own: "owner", type: "can type", watch: "watching" } as const;
const COMES = { own: "the owner, is here.", type: "is here and can type.", watch: "is here, watching." } as const;

/** What the page says of whoever is in front of it. */
export interface Here {
  name?: string;
  terminal?: TerminalAt;
}

/** Who is there: initials in the bar, a list with what each has in front, and the reader's own name. */
export class People {
  private readonly root = need(".people");
  private readonly button = h("button", { type: "button", class: "people-button", "aria-controls": "people-panel" });
  private readonly list = h("ul", { class: "people-list" });
  private readonly news = h("span", { class: "visually-hidden", role: "status" });
  private readonly name = h("input", {
    class: "field",
    id: "people-name",
    maxlength: "40",
    autocomplete: "nickname",
    spellcheck: "false",
    value: recall("name") ?? "",
  });
  private readonly fold: { close(): void };
  /** In a guest's bar: what they may do and how others see them. It leads to their name. */
  private readonly ownMark = document.querySelector<HTMLElement>(".guest-mark");
  private readonly leaving = new Map<number, ReturnType<typeof setTimeout>>();
  private readonly typists = new Map<number, ReturnType<typeof setTimeout>>();
  private readonly listeners = new Set<(others: PersonView[]) => void>();
  private people: PersonView[] = [];
  private you = -1;
  private met = false;

  constructor(
    private readonly tell: (here: Here) => void,
    show: (at: TerminalAt) => void,
  ) {
    const field = h(
      "form",
      { class: "people-name" },
      h("label", { for: "people-name" }, "Your name"),
      this.name,
      h("button", { class: "button small" }, "Use it"),
    );
    const panel = h(
      "div",
      { class: "people-panel node-panel", id: "people-panel", role: "group", "aria-label": "Who is here" },
      this.list,
      field,
    );
    this.root.append(this.button, panel, this.news);
    this.fold = setUpDisclosure(this.button, panel);
    this.list.addEventListener("click", (event) => {
      const at = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-terminal]") : null;
      if (!at) return;
      this.fold.close();
      show({ node: at.dataset.node!, terminal: at.dataset.terminal! });
    });
    field.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = this.name.value.trim();
      remember("name", name || null);
      this.tell({ name });
      this.fold.close();
      this.button.focus();
    });
    this.ownMark?.addEventListener("click", () => {
      if (panel.hidden) this.button.click();
      this.name.select();
    });
    this.root.hidden = true;
    const known = recall("name");
    if (known) tell({ name: known });
  }

  /** Hears who else is there, now and whenever that changes. */
  onOthers(listener: (others: PersonView[]) => void): void {
    this.listeners.add(listener);
    listener(this.others());
  }

  /** Whether this page answers what programs ask their terminal: the owner's does, else the first who may type. */
  get answers(): boolean {
    const first = this.people.find((person) => person.right !== "watch");
    return first === undefined || first.number === this.you;
  }

  show(people: PersonView[], you: number): void {
    this.you = you;
    const before = this.people;
    const there = new Set(people.map(({ number }) => number));
    const gone = before.filter(({ number }) => !there.has(number));
    for (const { number, name } of gone) {
      if (this.leaving.has(number)) continue;
      this.leaving.set(
        number,
        setTimeout(() => {
          this.leaving.delete(number);
          this.people = this.people.filter((person) => person.number !== number);
          this.say(`${name} has left.`);
          this.render();
        }, AWAY),
      );
    }
    for (const person of people) {
      clearTimeout(this.leaving.get(person.number));
      this.leaving.delete(person.number);
      const known = before.some(({ number }) => number === person.number);
      if (this.met && !known && person.number !== you) setTimeout(() => this.announce(person.number), NAMED);
    }
    this.people = [...people, ...gone].sort((a, b) => a.number - b.number);
    this.met = true;
    this.render();
  }

  typing(number: number): void {
    if (number === this.you) return;
    clearTimeout(this.typists.get(number));
    this.typists.set(
      number,
      setTimeout(() => {
        this.typists.delete(number);
        this.mark();
      }, TYPES),
    );
    this.mark();
  }

  private others(): PersonView[] {
    return this.people.filter(({ number }) => number !== this.you);
  }

  private announce(number: number): void {
    const person = this.people.find((p) => p.number === number);
    if (person) this.say(`${person.name}${person.right === "own" ? ", " : " "}${COMES[person.right]}`);
  }

  private say(text: string): void {
    // A toast is told by itself.
    if (this.others().length <= FEW) toast(text);
    else this.news.textContent = text;
  }

  private render(): void {
    const others = this.others();
    this.root.hidden = others.length === 0 && may("own");
    if (this.root.hidden) this.fold.close();
    const rest = others.length - SHOWN;
    this.button.replaceChildren(
      ...others.slice(0, rest === 1 ? SHOWN + 1 : SHOWN).map((person) => badge(person)),
      ...(rest > 1 ? [h("span", { class: "people-rest", "aria-hidden": "true" }, `+${rest}`)] : []),
      ...(others.length === 0 ? [badge(this.people[0] ?? { number: this.you, name: "You", right: "watch" })] : []),
    );
    const names = others.map(describe).join("; ");
    this.button.setAttribute("aria-label", others.length === 0 ? "Nobody else is here" : `Also here: ${names}`);
    this.button.title = others.length === 0 ? "Nobody else is here" : `Also here:\n${others.map(describe).join("\n")}`;
    this.list.replaceChildren(...this.people.map((person) => this.row(person)));
    const own = this.people.find(({ number }) => number === this.you)?.name ?? "";
    this.name.placeholder = own;
    const shown = this.ownMark?.querySelector(".guest-name");
    if (shown) shown.textContent = own && ` as ${own}`;
    this.mark();
    for (const listener of this.listeners) listener(others);
  }

  private row(person: PersonView): HTMLElement {
    const you = person.number === this.you;
    const words = h("span", { class: "person-name" }, person.name, ...(you ? [h("span", { class: "person-you" }, " (you)")] : []));
    const at = person.terminal;
    const place = at
      ? [h("button", { type: "button", class: "person-place", "data-node": at.node, "data-terminal": at.terminal, title: "Show this terminal" }, `${at.node} · ${at.terminal}`)]
      : [];
    return h("li", { "data-person": String(person.number) }, badge(person), h("span", { class: "person-words" }, words, h("span", { class: "person-does" }, DOES[person.right])), ...place);
  }

  private mark(): void {
    for (const element of this.root.querySelectorAll<HTMLElement>(".person")) {
      element.classList.toggle("types", this.typists.has(Number(element.dataset.number)));
    }
  }
}

/** Initials of a person, in a colour of their own. */
export function badge(person: Pick<PersonView, "number" | "name" | "right">): HTMLElement {
  return h(
    "span",
    { class: "person", "aria-hidden": "true", "data-number": String(person.number), "data-right": person.right, "data-tone": String(person.number % TONES) },
    initials(person.name),
  );
}

/** The first letters of the first and the last word of a name; of `Guest 12` all that tells it apart. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const last = words.length > 1 ? words.at(-1)! : "";
  return (first(words[0]!) + (/^\d{1,2}$/.test(last) ? last : first(last))).toLocaleUpperCase();
}

function first(word: string): string {
  return [...word][0] ?? "";
}

function describe(person: PersonView): string {
  const at = person.terminal ? `, in ${person.terminal.node} · ${person.terminal.terminal}` : "";
  return `${person.name}, ${DOES[person.right]}${at}`;
}
