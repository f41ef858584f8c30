import type { SshAccess } from "../api/types";

/** A command for the student's own machine, and what it does. */
export interface Command {
  words: string;
  command: string;
}

/** User name of a node's login. */
export function userOf(publicName: string, node: string): string {
  return `${publicName}-${node}`;
}

/** What a student types on their own machine to reach `node`. */
export function commandsOf(access: Pick<SshAccess, "host" | "port">, publicName: string, node: string): Command[] {
  const user = userOf(publicName, node);
  const { host, port } = access;
  const usual = port === 22;
  const bare = `${user}@${host}`;
  const address = `ssh://${user}@${host.includes(":") ? `[${host}]` : host}${usual ? "" : `:${port}`}`;
  const copied = host.includes(":") ? `${user}@[${host}]` : bare;
  return [
    { words: "A shell:", command: `ssh${usual ? "" : ` -p ${port}`} ${bare}` },
    { words: "Copy a file there (and back, the other way round):", command: `scp${usual ? "" : ` -P ${port}`} FILE ${copied}:` },
    { words: "Your own docker command, with this node's Docker Engine:", command: `export DOCKER_HOST=${address}` },
    { words: "Or as a context to switch to:", command: `docker context create ${user} --docker host=${address}` },
    { words: "A port of the node on your machine, here PostgreSQL's:", command: `ssh${usual ? "" : ` -p ${port}`} -N -L 5432:localhost:5432 ${bare}` },
  ];
}

/** The same for `boatyard forward`; `session` is what opens the session. */
export function forwardCommand(session: string, server: string, node: string): string {
  return `BOATYARD_SESSION=${session} boatyard forward --server ${server} ${node}:5432`;
}
