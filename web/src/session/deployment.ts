import type { SessionApi } from "../api/client";
import type { Deployment, DeployStage, ServiceProgress, ServiceState } from "../api/types";
import { h, icon, withCode } from "../ui/dom";
import { toast } from "../ui/toast";
import { portPath } from "./bar";

/** Marks of the states, beside their words. */
const MARKS: Record<ServiceState, string> = {
  waiting: "·",
  pulling: "↓",
  building: "◇",
  created: "○",
  starting: "○",
  running: "●",
  done: "✓",
  failed: "✕",
};

/** The stack that the session was started to deploy: how far it is, its first port, and what to do where it fails. */
export class DeploymentBar {
  private readonly lamp = h("span", { class: "deployment-lamp", "aria-hidden": "true" });
  private readonly words = h("p", { class: "deployment-words", role: "status" });
  private readonly open = h("a", { class: "button small", target: "_blank", rel: "noopener" });
  private readonly fold = h("button", { type: "button", class: "icon-button", "aria-controls": "deployment-body" }, icon("down"));
  private readonly dismiss = h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", title: "Dismiss" }, icon("close"));
  private readonly services = h("ul", { class: "deployment-services" });
  private readonly error = h("p", { class: "deployment-error" });
  private readonly again = h("button", { type: "button", class: "button small" }, "Try again");
  private readonly terminal = h("button", { type: "button", class: "button small" }, "To the terminal");
  private readonly deeds = h("div", { class: "deployment-deeds" }, this.again, this.terminal);
  private readonly body = h("div", { class: "deployment-body", id: "deployment-body" }, this.error, this.deeds, this.services);
  private stage: DeployStage | null = null;
  private dismissed = false;
  private said = "";

  constructor(
    private readonly element: HTMLElement,
    private readonly api: SessionApi,
    /** Shows the terminal in which the command was typed. */
    showTerminal: (terminal: string) => void,
  ) {
    element.append(
      h("div", { class: "deployment-head" }, this.lamp, this.words, this.open, this.fold, this.dismiss),
      this.body,
    );
    this.unfold(true);
    this.fold.addEventListener("click", () => this.unfold(this.body.hidden));
    this.dismiss.addEventListener("click", () => {
      this.dismissed = true;
      this.element.hidden = true;
    });
    this.again.addEventListener("click", () => void this.retry());
    this.terminal.addEventListener("click", () => showTerminal("main"));
  }

  /** How it stands now. */
  show(deployment: Deployment | null | undefined): void {
    if (!deployment) return;
    const { stage, port, error } = deployment;
    this.element.dataset.stage = stage;
    this.say(words(deployment));
    this.open.hidden = !port || (stage === "failed" && !port.answers);
    if (port) {
      this.open.href = portPath(this.api.id, port.node, port.port);
      this.open.replaceChildren(`Open port ${port.port}`, icon("out"));
      this.open.title = port.answers ? `Port ${port.port} of ${port.node}, in a new tab` : `Waits in a new tab until port ${port.port} of ${port.node} answers`;
      this.open.classList.toggle("primary", port.answers);
    }
    this.error.hidden = !error;
    this.error.replaceChildren(...withCode(error ?? ""));
    this.deeds.hidden = stage !== "failed";
    this.services.replaceChildren(...deployment.services.map(service));
    this.dismiss.hidden = stage !== "ready" && stage !== "failed";
    if (stage !== this.stage) this.entered(stage, deployment);
    this.element.hidden = this.dismissed;
  }

  private entered(stage: DeployStage, { port }: Deployment): void {
    const before = this.stage;
    this.stage = stage;
    if (stage === "ready") {
      this.unfold(false);
      // What the student came for. Browsers allow it where they have just done something here; else there is the button.
      if (before !== null && port && navigator.userActivation?.isActive) window.open(this.open.href, "_blank", "noopener");
    } else {
      this.dismissed = false;
      this.unfold(true);
    }
  }

  private say(text: string): void {
    // A status that is set again is read out again.
    if (text !== this.said) this.words.textContent = this.said = text;
  }

  private unfold(open: boolean): void {
    this.body.hidden = !open;
    this.fold.setAttribute("aria-expanded", String(open));
    this.fold.setAttribute("aria-label", open ? "Hide the services" : "Show the services");
    this.fold.title = open ? "Hide the services" : "Show the services";
  }

  private async retry(): Promise<void> {
    this.again.disabled = true;
    try {
      await this.api.deployAgain();
    } catch (error) {
      toast(`It was not deployed again: ${(error as Error).message}`, "alert");
    } finally {
      this.again.disabled = false;
    }
  }
}

function service({ name, image, state, words }: ServiceProgress): HTMLElement {
  return h(
    "li",
    { "data-state": state },
    h("span", { class: "mark", "aria-hidden": "true" }, MARKS[state]),
    h("strong", {}, name),
    h("code", {}, image ?? "built"),
    h("span", { class: "words" }, ...withCode(words)),
  );
}

/** The whole in one sentence. */
export function words({ name, stage, services, port, downloading }: Deployment): string {
  const up = services.filter(({ state }) => state === "running" || state === "done").length;
  const count = services.length === 1 ? (up ? "its service runs" : "its service does not run yet") : `${up} of ${services.length} services run`;
  switch (stage) {
    case "preparing":
      return `${name}: its files are put in place`;
    case "deploying":
      return `${name} is being deployed: ${count}${downloading ? `, downloading (${megabytes(downloading)})` : ""}`;
    case "starting":
      if (up === services.length && port) return `${name}: ${count}; port ${port.port} does not answer yet`;
      return `${name} is starting: ${count}`;
    case "ready":
      return port ? `${name} runs, and answers on port ${port.port}` : `${name} runs`;
    case "failed":
      return `${name} does not run as it should`;
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
