import { BoatyardError } from "./errors.js";

/** Opens a tab now, in the turn of the click that asked for it, and leads it to an address that is only known later. */
export async function openTab(meanwhile: string, address: () => Promise<string>): Promise<void> {
  const tab = window.open("about:blank", "_blank");
  if (!tab) {
    const detail = "The browser kept the tab from opening. Allow this page to open tabs, and try again.";
    throw new BoatyardError("refused", { type: "about:blank", status: 0, title: "No tab", detail });
  }
  // What a student serves there must not steer this page.
  tab.opener = null;
  tab.document.title = meanwhile;
  tab.document.body.append(meanwhile);
  Object.assign(tab.document.body.style, { font: "16px system-ui, sans-serif", padding: "24px" });
  tab.document.documentElement.style.colorScheme = "light dark";
  try {
    tab.location.replace(await address());
  } catch (error) {
    tab.document.body.textContent = error instanceof Error ? error.message : String(error);
    throw error;
  }
}
