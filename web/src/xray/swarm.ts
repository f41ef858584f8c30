import type { XraySwarm } from "../api/types";
import { h } from "../ui/dom";
import { count, short } from "./words";

/** A swarm: what is wanted, and on which node each task is. */
export function swarm(swarm: XraySwarm): HTMLElement[] {
  const name = (id: string): string => swarm.services.find((service) => service.id === id)?.name ?? short(id);
  const card = (title: string, what: string, state: string, tasks: XraySwarm["tasks"]): HTMLElement =>
    h(
      "div",
      { class: "x-member", "data-state": state },
      h("div", { class: "x-box-head" }, h("span", { class: "x-name" }, title), h("span", { class: "x-state" }, what)),
      h(
        "ul",
        { class: "x-tasks" },
        ...tasks.map((task) =>
          h("li", { class: "x-task", "data-state": task.state }, `${name(task.service)}${task.slot === null ? "" : `.${task.slot}`}`, h("span", { class: "x-state" }, task.state)),
        ),
      ),
    );
  const members = swarm.nodes.map((node) => {
    const role = node.leader ? "leader" : node.role;
    const state = [node.state === "ready" ? "" : node.state, node.availability === "active" ? "" : node.availability].filter(Boolean).join(", ");
    return card(node.name, state ? `${role}, ${state}` : role, node.state, swarm.tasks.filter((task) => task.node === node.id));
  });
  const nowhere = swarm.tasks.filter((task) => task.node === null);
  if (nowhere.length > 0) members.push(card("no node yet", count(nowhere.length, "task"), "down", nowhere));
  return [
    h("h4", {}, "Swarm"),
    h(
      "ul",
      { class: "x-chips" },
      ...swarm.services.map((service) =>
        h(
          "li",
          { class: "x-chip x-service", "data-service": service.id },
          h("span", { class: "x-name" }, service.name),
          h("span", { class: "x-what" }, service.replicas === null ? `${service.running} running, one on each node` : `${service.running} of ${service.replicas} running`),
          h("span", { class: "x-by" }, service.image),
        ),
      ),
    ),
    h("div", { class: "x-members" }, ...members),
  ];
}
