// What the server's HTTP API and its session events carry: the server's own types, by the names that the pages use.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type DockerState = Schemas["DockerState"];
export type OpenPort = Schemas["PortView"];
/** What the session has chosen for its ports. */
export type PortChoices = Schemas["PortChoices"];
export type PortLink = Schemas["PortLinkView"];
export type NewPortLink = Schemas["NewPortLink"];
export type SeenHost = Schemas["SeenHost"];
export type NodeView = Schemas["NodeView"];
export type SwarmRole = Schemas["SwarmRole"];
export type UsageView = Schemas["UsageView"];
export type LimitReached = Schemas["LimitReached"];
export type SessionView = Schemas["SessionView"];
export type TerminalInfo = Schemas["TerminalInfo"];
export type FileEntry = Schemas["FileEntry"];
export type FileList = Schemas["FileList"];
export type CheckResult = Schemas["CheckResult"];
export type CheckReport = Schemas["Checked"];
export type Progress = Schemas["Progress"];
export type Grade = Schemas["Graded"];
/** What the session has pushed into its registry. */
export type RegistryContents = Schemas["RegistryContents"];
export type PushedRepository = Schemas["PushedRepository"];
export type PushedTag = Schemas["PushedTag"];
export type PushedLayer = Schemas["PushedLayer"];
/** The stack that a session was started to deploy. */
export type Deployment = Schemas["Deployment"];
export type DeployStage = Schemas["DeployStage"];
export type ServiceProgress = Schemas["ServiceProgress"];
export type ServiceState = Schemas["ServiceState"];
export type VariableView = Schemas["VariableView"];
/** How a session is reached by ssh. */
export type SshAccess = Schemas["SshAccess"];
export type SshKey = Schemas["SshKey"];
export type SshPassword = Schemas["SshPassword"];
export type ForwardToken = Schemas["ForwardToken"];
export type EndReason = Schemas["EndReason"];
export type PersonView = Schemas["PersonView"];
export type TerminalAt = Schemas["TerminalAt"];
export type ShareKind = Schemas["ShareKind"];
export type ShareView = Schemas["ShareView"];
export type MadeShare = Schemas["MadeShare"];
/** A message of the session's events socket. Each replaces what an earlier one of its kind said. */
export type SessionEvent = Schemas["SessionEvent"];
/** A message of the X-ray's socket. Each replaces what an earlier one said of the same. */
export type XrayMessage = Schemas["XrayMessage"];
export type XrayNode = Schemas["XrayNode"];
export type XrayLayer = Schemas["XrayLayer"];
export type XrayImage = Schemas["XrayImage"];
export type XrayContainer = Schemas["XrayContainer"];
export type XrayGauge = Schemas["XrayGauge"];
export type XrayUnderWay = Schemas["XrayUnderWay"];
export type XraySwarm = Schemas["XraySwarm"];
export type XrayRegistry = Schemas["XrayRegistry"];
export type XrayDeed = Schemas["XrayDeed"];
/** RFC 9457, with Boatyard's own `code` where a page acts on it. */
export type Problem = Schemas["Problem"];

/** What the server writes into a session page for its script: `PageState` in `src/web/view/session.rs`. */
export interface SessionPageState {
  session: SessionView;
  /** The server's clock when it made the page, RFC 3339. */
  now: string;
  /** Most nodes that a session may have. */
  max_nodes: number;
  /** Whether Swarm's routing mesh works on the server's host. */
  routing_mesh: boolean;
  /** Whether the server has ssh. */
  ssh: boolean;
  lesson?: { course: string; lesson: string; progress: Progress | null } | null;
}
