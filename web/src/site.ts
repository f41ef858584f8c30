import { createSession, ApiError } from "./api/client";
import { copyText } from "./ui/copy";
import { setUpDialogs } from "./ui/dialog";
import { setUpTheme } from "./ui/theme";

setUpTheme();
setUpDialogs();
setUpStartForms();
setUpFullPage();
setUpClocks();
setUpCopies();

/** A start button shows that something happens while the server answers the form. */
function setUpStartForms(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-start]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.busy !== undefined) return event.preventDefault();
      form.dataset.busy = "";
      const label = form.querySelector("[data-label]");
      if (label) label.textContent = "Starting…";
    });
  }
  // Back from the session, a page out of the browser's memory must be fresh again.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

/** The full page tries again by itself and says when. */
function setUpFullPage(): void {
  const box = document.querySelector<HTMLElement>("[data-retry]");
  const clock = box?.querySelector("[data-retry-clock]");
  if (!box || !clock) return;
  const every = Number(box.dataset.retry) || 10;
  let left = every;
  let busy = false;
  setInterval(() => {
    if (busy || document.visibilityState === "hidden") return;
    left -= 1;
    clock.textContent = left > 0 ? `Trying again in ${left} s` : "Trying now…";
    if (left <= 0) void attempt();
  }, 1000);

  const attempt = async (): Promise<void> => {
    busy = true;
    try {
      const session = await createSession({ course: box.dataset.course, lesson: box.dataset.lesson, image: box.dataset.image });
      location.assign(session.url);
      return;
    } catch (error) {
      // Only a full Boatyard is worth waiting for; anything else the server's own page explains better.
      if (error instanceof ApiError && error.problem.code === "client-limit") return location.assign("/");
    }
    busy = false;
    left = every;
  };
}

/** Times of the server, in the reader's own zone and words. */
function setUpClocks(): void {
  const format = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
  for (const element of document.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
    const date = new Date(element.dateTime);
    if (!Number.isNaN(date.getTime())) element.textContent = format.format(date);
  }
}

/** Buttons that copy a text of the page, and say so. */
function setUpCopies(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    const label = button.querySelector("[data-label]");
    if (!label) continue;
    const usual = label.textContent;
    button.addEventListener("click", () => {
      void copyText(button.dataset.copy ?? "").then((done) => {
        label.textContent = done ? "Copied" : "Not copied: the browser does not allow it";
        setTimeout(() => (label.textContent = usual), 2_500);
      });
    });
  }
}
