// Compiles only as long as what the SDK declares is what the server says. Nothing of it runs.
import type { components } from "../../src/api/schema.js";
import type { DockerState, EndReason, ExecOptions, ExecResult, Problem, Session, SessionNode, SessionOptions } from "../src/types.js";

type Server = components["schemas"];
type Is<Wide, Narrow extends Wide> = Narrow;

export type AllThatHolds = [
  Is<Session, Server["SessionView"]>,
  Is<SessionNode, Server["NodeView"]>,
  Is<DockerState, Server["DockerState"]>,
  Is<Server["DockerState"], DockerState>,
  Is<EndReason, Server["EndReason"]>,
  Is<ExecResult, Server["ExecResult"]>,
  Is<Problem, Server["Problem"]>,
  Is<Server["Exec"], ExecOptions & { command: string[] }>,
  Is<Server["NewSession"], Omit<SessionOptions, "keep">>,
];
