import { need } from "../ui/dom";

/** One step at a time, with the URL's fragment as the place; without script all steps stand below each other. */
export class Steps {
  readonly ids: string[];
  private readonly sections = new Map<string, HTMLElement>();
  private readonly done = new Set<string>();
  private currentId = "";
  private complete = false;

  constructor(
    private readonly root: HTMLElement,
    private readonly changed: (step: string, byUser: boolean) => void,
    private readonly completed: () => void,
  ) {
    for (const section of root.querySelectorAll<HTMLElement>("section.step")) {
      this.sections.set(section.dataset.step ?? section.id, section);
    }
    this.ids = [...this.sections.keys()];
    need("[data-previous]", root).addEventListener("click", () => this.move(-1));
    need("[data-next]", root).addEventListener("click", () => this.move(1));
    addEventListener("hashchange", () => this.show(this.fromHash() ?? this.currentId, true));
    // Links within the outline menu close it.
    root.querySelector(".outline")?.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest("a")) need<HTMLDetailsElement>(".outline").open = false;
    });
  }

  get current(): string {
    return this.currentId;
  }

  /** The first step to show: the fragment's, else where the student was. */
  start(remembered: string | null): void {
    const step = this.fromHash() ?? (remembered && this.sections.has(remembered) ? remembered : this.ids[0]);
    if (step) this.show(step, false);
  }

  section(step: string): HTMLElement | undefined {
    return this.sections.get(step);
  }

  markDone(steps: string[]): void {
    for (const step of steps) {
      this.done.add(step);
      for (const mark of this.root.querySelectorAll(`[data-goto="${CSS.escape(step)}"]`)) {
        mark.classList.add("done");
        const state = mark.querySelector(".state");
        if (state) state.textContent = "done";
      }
    }
    this.refresh();
  }

  private move(step: -1 | 1): void {
    const next = this.ids[this.ids.indexOf(this.currentId) + step];
    if (next) location.hash = next;
  }

  private fromHash(): string | null {
    const id = decodeURIComponent(location.hash.slice(1));
    return this.sections.has(id) ? id : null;
  }

  private show(step: string, byUser: boolean): void {
    if (step === this.currentId) return;
    this.currentId = step;
    for (const [id, section] of this.sections) section.hidden = id !== step;
    for (const mark of this.root.querySelectorAll<HTMLElement>("[data-goto]")) {
      if (mark.dataset.goto === step) mark.setAttribute("aria-current", "step");
      else mark.removeAttribute("aria-current");
    }
    this.refresh();
    need(".lesson-scroll", this.root).scrollTop = 0;
    if (byUser) {
      const heading = this.sections.get(step)?.querySelector<HTMLElement>("h1, h2");
      heading?.setAttribute("tabindex", "-1");
      heading?.focus({ preventScroll: true });
    }
    this.changed(step, byUser);
  }

  private refresh(): void {
    const at = this.ids.indexOf(this.currentId);
    const last = at === this.ids.length - 1;
    need<HTMLButtonElement>("[data-previous]", this.root).disabled = at <= 0;
    const next = need<HTMLButtonElement>("[data-next]", this.root);
    next.hidden = last;
    next.classList.toggle("primary", this.done.has(this.currentId) || at === 0);
    need(".step-count", this.root).textContent = at === 0 ? "Introduction" : `Step ${at} of ${this.ids.length - 1}`;
    const all = this.ids.filter((id) => this.section(id)?.querySelector(".checks, .quiz"));
    const before = this.complete;
    this.complete = all.length > 0 && all.every((id) => this.done.has(id));
    this.root.classList.toggle("complete", this.complete);
    // What follows the lesson is in reach from its last step, done or not.
    const onward = need<HTMLAnchorElement>("[data-onward]", this.root);
    onward.hidden = !last;
    onward.classList.toggle("primary", this.complete);
    if (this.complete && !before) this.completed();
  }
}
