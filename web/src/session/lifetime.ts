import type { SessionApi } from "../api/client";
import type { EndReason, SessionView } from "../api/types";
import { ask } from "../ui/dialog";
import { need } from "../ui/dom";
import { toast } from "../ui/toast";
import { may } from "./rights";

const REASONS: Record<EndReason, string> = {
  closed: "You closed it. Its files, images and containers are gone.",
  expired: "Its time was up. Its files, images and containers are gone.",
  lost: "It is no longer there: it was closed elsewhere, or the host lost it.",
  operator: "The operator of this Boatyard ended it.",
};

/** The same to those with whom the session was shared. */
const GUEST_REASONS: Partial<Record<EndReason, string>> = {
  closed: "Its owner closed it.",
  expired: "Its time was up.",
  lost: "It is no longer there: its owner closed it, or the host lost it.",
};

/** The buttons that lengthen and end a session, and what is shown once it has ended. */
export class Lifetime {
  /** Guests have neither. */
  private readonly extendButton = document.querySelector<HTMLButtonElement>("[data-extend]");
  private over = false;

  constructor(
    private readonly api: SessionApi,
    private readonly update: (session: SessionView) => void,
    private readonly finished: () => void,
  ) {
    this.extendButton?.addEventListener("click", () => void this.extend(this.extendButton!));
    document.querySelector("[data-close]")?.addEventListener("click", () => void this.close());
  }

  show(session: SessionView): void {
    const left = session.extensions_left;
    if (this.extendButton) {
      this.extendButton.disabled = left <= 0;
      this.extendButton.title =
        left <= 0 ? "No extension is left" : `Extend this session (${left} ${left === 1 ? "time" : "times"} more)`;
    }
    if (session.state === "ended") this.ended("expired");
  }

  ended(reason: EndReason): void {
    this.finish("This session has ended", (may("own") ? null : GUEST_REASONS[reason]) ?? REASONS[reason] ?? REASONS.lost);
  }

  /** The owner has ended the share through which the page came. */
  unshared(): void {
    this.finish("The owner has ended this share", "The session goes on without you. Ask its owner for a new link, or start one of your own.");
  }

  private finish(title: string, reason: string): void {
    if (this.over) return;
    this.over = true;
    document.body.dataset.state = "ended";
    this.finished();
    need("#ended-title").textContent = title;
    need("#ended-dialog .reason").textContent = reason;
    void ask("#ended-dialog");
  }

  private async extend(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    try {
      const session = await this.api.extend();
      this.update(session);
      toast("Extended.", "good");
    } catch (error) {
      button.disabled = false;
      toast((error as Error).message, "alert");
    }
  }

  private async close(): Promise<void> {
    if ((await ask("#close-dialog")) !== "close") return;
    try {
      await this.api.close();
      this.ended("closed");
    } catch (error) {
      toast(`The session is still there: ${(error as Error).message}`, "alert");
    }
  }
}
