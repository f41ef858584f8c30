import { SessionApi } from "./api/client";
import { SessionEvents } from "./api/events";
import type { NodeView, SessionEvent, SessionPageState, SessionView } from "./api/types";
import { acceptDrops } from "./files/drop";
import { Player } from "./lesson/player";
import { Bar } from "./session/bar";
import { Countdown } from "./session/countdown";
import { DeploymentBar } from "./session/deployment";
import { Lifetime } from "./session/lifetime";
import { Nodes } from "./session/nodes";
import { Panels } from "./session/panels";
import { People } from "./session/people";
import { PaneSwitch } from "./session/panes";
import { Ports } from "./session/ports";
import { Quiet } from "./session/quiet";
import { may } from "./session/rights";
import type { ShareDialog } from "./session/share";
import { setUpShortcuts } from "./session/shortcuts";
import { LIMITS } from "./session/usage";
import type { Dock } from "./terminal/dock";
import { setUpDialogs } from "./ui/dialog";
import { setUpDivider } from "./ui/divider";
import { need } from "./ui/dom";
import { setUpTheme } from "./ui/theme";
import { toast } from "./ui/toast";

const state = JSON.parse(need("#page-state").textContent ?? "") as SessionPageState;
const api = new SessionApi(state.session.id);
// The terminal is the larger part of the script: it loads beside the lesson, not before it.
const terminalCode = import("./terminal/dock");

setUpTheme();
setUpDialogs();
const deck = need(".deck");
const divider = document.querySelector<HTMLElement>(".divider");
if (divider) setUpDivider(divider, deck, { key: "split", property: "--split", initial: 42 });
const panes = new PaneSwitch();
const bar = new Bar();
const ports = new Ports(api);
const nodeList = new Nodes(api, state.max_nodes, state.routing_mesh, {
  showTerminal: (node) => void show(node, "main"),
  newTerminal: (node) => void dock.then((d) => d.open(node)),
});
const countdown = new Countdown(state.now);
const lifetime = new Lifetime(api, (session) => showSession(session), () => countdown.stop());
let nodes: NodeView[] = [];
let docked!: (dock: Dock) => void;
const dock = new Promise<Dock>((resolve) => (docked = resolve));
let dockStarted = false;
let currentTerminal: () => { node: string; terminal: string } | null = () => null;
let player: Player | null = null;
const listeners = new Set<(event: SessionEvent) => void>();
const quiet = new Quiet();
const deployment = new DeploymentBar(need(".deployment"), api, (terminal) => void show(nodes[0]?.name ?? "node1", terminal));

setUpShortcuts((on) => void dock.then((d) => d.setScreenReader(on)));
need("[data-new-terminal]").addEventListener("click", () => void dock.then((d) => d.open()));
need("[data-search]").addEventListener("click", () => void dock.then((d) => d.search()));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.shiftKey && event.code === "KeyL") {
    event.preventDefault();
    void dock.then((d) => d.focus());
  }
});

showSession(state.session);
new Panels({
  api,
  publicName: state.session.public_name,
  nodes: () => nodes,
  currentNode: () => currentTerminal()?.node ?? nodes[0]?.name ?? "node1",
  currentTerminal: () => currentTerminal(),
  workingFolder,
  onEvent: (handler) => {
    listeners.add(handler);
    return () => listeners.delete(handler);
  },
  onQuiet: (handler) => quiet.on(handler),
  run: (node, command, enter) => run(node, "main", command, enter),
}, state.ssh ? [] : ["outside"]);
acceptDrops(need(".screens"), api.base, () => {
  const node = currentTerminal()?.node;
  return node && may("type") ? { node, folder: () => workingFolder(node) } : null;
});
const events = new SessionEvents(api, take, (link) => bar.linked(link), !may("own"));
const people = new People(
  (here) => events.here(here),
  ({ node, terminal }) => void show(node, terminal),
);
void dock.then((d) => people.onOthers((others) => d.setOthers(others)));
setUpSharing();

const lesson = document.querySelector<HTMLElement>(".lesson");
if (lesson && state.lesson) {
  // A session that was started for this lesson began with it.
  const { session, now } = state;
  const started = session.course === state.lesson.course && session.lesson === state.lesson.lesson;
  const began = Date.now() - (started ? Math.max(0, Date.parse(now) - Date.parse(session.created_at)) : 0);
  player = new Player(lesson, api, { ...state.lesson, began }, run, nodes.length > 1, (name, step) => events.watch(name, step));
  player.showNodes(nodes);
}

function take(event: SessionEvent): void {
  apply(event);
  for (const listener of listeners) listener(event);
}

function apply(event: SessionEvent): void {
  switch (event.type) {
    case "session":
      showSession(event.session);
      break;
    case "ports":
      changeNode(event.node, { ports: event.ports });
      break;
    case "docker":
      changeNode(event.node, { docker: event.state });
      break;
    case "terminals":
      void dock.then((d) => d.reconcile(event.node, event.terminals));
      break;
    case "deployment":
      deployment.show(event.deployment);
      break;
    case "usage":
      nodeList.showUsage(event.node, event.usage);
      break;
    case "limit-reached":
      toast(`${event.node} ${LIMITS[event.limit]}`, "alert");
      break;
    case "node-lost":
      toast(`${event.node} is gone: its machine died. The session goes on with the other nodes.`, "alert");
      break;
    case "warning":
      countdown.warn(event.seconds_left);
      break;
    case "people":
      people.show(event.people, event.you);
      break;
    case "typing":
      people.typing(event.person);
      break;
    case "ended":
      lifetime.ended(event.reason);
      break;
    case "unshared":
      lifetime.unshared();
      break;
    default:
      player?.take(event);
  }
}

function showSession(session: SessionView): void {
  document.body.dataset.state = session.state;
  countdown.set(session.expires_at);
  lifetime.show(session);
  deployment.show(session.deployment);
  showNodes(session.nodes);
  if (session.state === "running") void startDock();
}

function changeNode(name: string, change: Partial<NodeView>): void {
  showNodes(nodes.map((node) => (node.name === name ? { ...node, ...change } : node)));
}

function showNodes(next: NodeView[]): void {
  nodes = next;
  ports.show(nodes);
  nodeList.show(nodes);
  player?.showNodes(nodes);
  if (dockStarted) void dock.then((d) => d.setNodes(nodes.map((node) => node.name)));
}

async function startDock(): Promise<void> {
  if (dockStarted) return;
  dockStarted = true;
  try {
    const { Dock } = await terminalCode;
    const made = new Dock(api, need(".term-tabs"), need(".screens"), nodes.map((node) => node.name), () => player?.focus(), {
      write: may("type"),
      answers: () => people.answers,
    });
    made.onFront = (terminal) => events.here({ terminal });
    if (made.front) made.onFront(made.front);
    const first = nodes[0];
    if (first) made.add(first.name, "main");
    if (!state.lesson) made.focus();
    currentTerminal = () => made.front;
    made.onOutput = () => quiet.output();
    docked(made);
    // The first event may have come before the dock was there to hear it.
    for (const node of nodes) made.reconcile(node.name, await api.terminals(node.name));
  } catch (error) {
    dockStarted = false;
    toast(`The terminal did not come up: ${(error as Error).message}. Reload the page to try again.`, "alert");
  }
}

async function show(node: string, terminal: string): Promise<void> {
  panes.revealTerminal();
  try {
    await (await dock).show(node, terminal);
  } catch (error) {
    toast(`The terminal did not open: ${(error as Error).message}`, "alert");
  }
}

/** The owner's buttons that share the session; what they open loads with the first click. */
function setUpSharing(): void {
  let dialog: Promise<ShareDialog> | null = null;
  const load = (): Promise<ShareDialog> => (dialog ??= import("./session/share").then(({ ShareDialog }) => new ShareDialog(api)));
  const show = (): void => {
    load()
      .then((d) => d.show())
      .catch((error: unknown) => {
        dialog = null;
        toast(`The dialog did not open: ${(error as Error).message}`, "alert");
      });
  };
  for (const button of document.querySelectorAll("[data-share]")) button.addEventListener("click", show);
  listeners.add((event) => {
    if (event.type === "people") void dialog?.then((d) => d.changed(), () => undefined);
  });
}

async function workingFolder(node: string): Promise<string> {
  const terminals = await api.terminals(node);
  const front = currentTerminal();
  const at = front?.node === node ? terminals.find(({ id }) => id === front.terminal) : undefined;
  return at?.cwd ?? terminals[0]?.cwd ?? "/root";
}

async function run(node: string, terminal: string, command: string, enter: boolean): Promise<void> {
  if (!may("type")) return void toast("You are watching: only those who may type can run it.");
  panes.revealTerminal();
  try {
    const pane = await (await dock).show(node, terminal, matchMedia("(pointer: fine)").matches);
    await pane.type(command, enter);
  } catch (error) {
    toast(`The command did not reach the terminal: ${(error as Error).message}`, "alert");
    throw error;
  }
}
