// A static site on a host name and port of its own, as anybody's tutorial is.
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize, resolve } from "node:path";

const TYPES: Record<string, string> = { html: "text/html; charset=utf-8", css: "text/css", sh: "text/plain" };

/** Serves a folder. In its pages, `http://localhost:8000` becomes the address in `server`. */
export class Tutorial {
  /** The Boatyard that its pages name. */
  server = "http://localhost:8000";
  private constructor(
    private readonly http: Server,
    private readonly port: number,
  ) {}

  static async open(folder = resolve(process.cwd(), "sdk/example")): Promise<Tutorial> {
    const http = createServer((request, response) => {
      const path = normalize(new URL(request.url ?? "/", "http://x").pathname).replace(/\/$/, "/index.html");
      const type = TYPES[path.split(".").at(-1) ?? ""] ?? "application/octet-stream";
      readFile(join(folder, path)).then(
        (bytes) => {
          response.writeHead(200, { "content-type": type });
          response.end(type.startsWith("text/html") ? bytes.toString().replaceAll("http://localhost:8000", tutorial.server) : bytes);
        },
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
    const tutorial = new Tutorial(http, (http.address() as AddressInfo).port);
    return tutorial;
  }

  /** Its origin under a name below `localhost`. */
  origin(name = "tutorial"): string {
    return `http://${name}.localhost:${this.port}`;
  }

  close(): void {
    this.http.closeAllConnections();
    this.http.close();
  }
}
