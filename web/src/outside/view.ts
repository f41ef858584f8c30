import type { SshAccess, SshKey, SshPassword } from "../api/types";
import { copyButton } from "../lesson/commands";
import { h, icon } from "../ui/dom";
import { type Command, commandsOf, forwardCommand } from "./commands";

/** A line to copy, such as a command. */
export function copyLine(text: string, what: string): HTMLElement {
  const copy = copyButton(text);
  copy.setAttribute("aria-label", `Copy: ${what}`);
  return h("div", { class: "out-line" }, h("code", {}, text), copy);
}

/** The commands for one node. */
export function commandsView(access: SshAccess, publicName: string, node: string): HTMLElement {
  const one = ({ words, command }: Command): HTMLElement => h("li", {}, h("p", {}, words), copyLine(command, command));
  return h("ul", { class: "out-commands" }, ...commandsOf(access, publicName, node).map(one));
}

/** The session's keys. */
export function keysView(keys: SshKey[], remove: (key: SshKey) => void): HTMLElement {
  if (keys.length === 0) return h("p", { class: "out-soft" }, "No key opens this session yet.");
  const one = (key: SshKey): HTMLElement => {
    const button = h("button", { type: "button", class: "icon-button", "aria-label": `Remove the key ${key.name}`, title: "Remove" }, icon("bin"));
    button.addEventListener("click", () => remove(key));
    return h(
      "li",
      { class: "out-key" },
      h("span", { class: "out-key-name" }, key.name),
      h("span", { class: "out-soft" }, `${key.algorithm} `, h("code", {}, key.fingerprint)),
      button,
    );
  };
  return h("ul", { class: "out-keys", "aria-label": "Keys" }, ...keys.map(one));
}

/** A one-time password that was just made. */
export function passwordView(made: SshPassword): HTMLElement {
  const until = new Date(made.expires_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return h(
    "div",
    { class: "out-made", role: "status" },
    copyLine(made.password, "the one-time password"),
    h("p", { class: "out-soft" }, `Good for one sign-in, until ${until}. It is not shown again.`),
  );
}

/** How `boatyard forward` is called with a token that was just made. */
export function forwardView(session: string, server: string, node: string): HTMLElement {
  return h(
    "div",
    { class: "out-made", role: "status" },
    copyLine(forwardCommand(session, server, node), "the command of boatyard forward"),
    h("p", { class: "out-soft" }, "It opens this session's ports, so keep it to yourself. It is not shown again."),
  );
}

/** By what a student knows that it is this server. */
export function hostView(access: SshAccess): HTMLElement {
  return h(
    "div",
    {},
    h("p", {}, "The first time, ssh shows the server's fingerprint. It must be this one:"),
    copyLine(access.fingerprint, "the fingerprint"),
    h("details", {}, h("summary", {}, "As a line for ~/.ssh/known_hosts"), copyLine(access.known_hosts, "the line for known_hosts")),
  );
}
