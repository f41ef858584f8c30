// Made by `npm run types` from what `boatyard openapi` prints. Change the server's types, not these.

export interface paths {
    "/api/v1/embedding": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the page that asks may embed terminals of this server. A page of any origin may ask: to one that is not listed,
         *     browsers show nothing else, not even that it was refused.
         */
        get: operations["embedding"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The lab images that sessions can have; the usual one first. */
        get: operations["list_images"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The running sessions of this browser. */
        get: operations["list_sessions"];
        put?: never;
        /** Starts a session. The cookie in the answer, or the token, opens it. */
        post: operations["create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A session as it is now. */
        get: operations["get"];
        put?: never;
        post?: never;
        /** Closes a session: at once for its user; what it had is removed within about a second. */
        delete: operations["delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/deployment": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Deploys the session's stack once more: its command is typed again. */
        post: operations["deploy_again"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What happens in a session: a WebSocket of JSON text messages. The page says which step it shows with
         *     `{"type": "watch", "lesson": "course/lesson", "step": "id"}`, and who is in front of it with
         *     `{"type": "here", "name": "Ada", "terminal": {"node": "node1", "terminal": "main"}}`.
         */
        get: operations["events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/extend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Adds an extension's time to a session. */
        post: operations["extend"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/forward-token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes what opens the ports of the session's nodes, and nothing else, for `boatyard forward`. */
        post: operations["make_forward_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/lessons/{course}/{lesson}/progress": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far the session has come in a lesson. */
        get: operations["progress"];
        /** Remembers the step that is looked at. */
        put: operations["set_position"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/lessons/{course}/{lesson}/quizzes/{quiz}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Grades an answer to a quiz and keeps it. */
        post: operations["answer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/lessons/{course}/{lesson}/steps/{step}/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Evaluates a step's checks now. */
        post: operations["check"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Adds a node to a session. It has a prompt when this is answered. */
        post: operations["add_node"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Takes a node out of a session, as if its plug were pulled: what was on it is gone. */
        delete: operations["remove_node"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/exec": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Runs a command in a node and waits for its end. */
        post: operations["exec"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The bytes of a file. `ETag` is what `If-Match` takes; `X-Boatyard-Read-Only: true` where it cannot be replaced. A file
         *     whose size is not known before it is read, as in /proc, comes without `Content-Length`.
         */
        get: operations["read_file"];
        /**
         * Writes a file. Missing folders are made; readers see the old file or the new one, never a part. With `If-Match` it is
         *     written only over the file that has this `ETag`, with `If-None-Match: *` only where there is none.
         */
        put: operations["write_file"];
        post?: never;
        /** Removes a file, a link, or a folder with all in it. */
        delete: operations["remove_file"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/files/folder": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Makes a folder and those above it that are missing, or finds it. */
        put: operations["make_folder"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/files/list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is in a folder. */
        get: operations["list_files"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/files/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Moves or renames a file or folder, never over what is there. */
        post: operations["move_file"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/files/tar": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A folder as a tar archive, made while it is sent. Other file systems below it stay out. */
        get: operations["download_folder"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/ports/{port}/ticket": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An address that opens a port of a node in a browser which has no cookie of the session. */
        post: operations["port_ticket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/swarm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Has a node join the swarm of its session. Where there is none yet, it makes one and is its manager. */
        post: operations["join_swarm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/tcp/{port}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A raw TCP connection to a port of a node, as a WebSocket: binary messages are its bytes, and the text `end` says that
         *     nothing more comes from that side. It ends when both sides have said so, or one is gone.
         */
        get: operations["forward_tcp"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/terminals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The terminals of a node, in order of opening. The first is `main`. */
        get: operations["list_terminals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/terminals/{terminal}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Opens a terminal, or finds the one of this id. One whose shell has ended gets a new shell. */
        put: operations["open"];
        post?: never;
        /** Closes a terminal; what runs in it is hung up. */
        delete: operations["close"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/terminals/{terminal}/socket": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Attaches to a terminal: a WebSocket of binary frames. `generation` and `offset` say what the viewer has rendered, so
         *     that it misses nothing and gets nothing twice; the frames are described in `protocol/src/terminal.rs`. Of a guest who
         *     may only watch, neither input nor size is passed on, whatever `read_only` says.
         */
        get: operations["socket"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/nodes/{node}/variables/{variable}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a variable in a lesson's command stands for now: `swarm.join` and `swarm.join.manager` for the command by which the
         *     node joins the session's swarm.
         */
        get: operations["variable"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/ports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the session has chosen for its ports: host names that applications see, and links that share them. */
        get: operations["port_choices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/ports/{node}/{port}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Chooses the host name that the application on a port sees: `original`, that which the browser asked for, or `localhost`
         *     with the port.
         */
        put: operations["choose_port_host"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/ports/{node}/{port}/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a link that opens this port, and nothing else, to whoever has it, until it is revoked or the session ends. */
        post: operations["share_port"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/ports/{node}/{port}/links/{link}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revokes a link, at once: it opens nothing any more, nor does a browser that came by it, and what is open ends. */
        delete: operations["revoke_port_link"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/registry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the session has pushed into its registry. `registry` events tell when it has changed. */
        get: operations["registry_contents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/registry/repositories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Deletes a repository with all its tags. Layers that nothing else uses are removed some time later. */
        delete: operations["delete_repository"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/registry/tags": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Deletes a tag. The image stays where another tag names it. */
        delete: operations["delete_tag"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/shares": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The shares of a session, and who came through each. */
        get: operations["list_shares"];
        put?: never;
        /** Shares a session: whoever opens the link in the answer may watch, or type, until the share is ended. */
        post: operations["make_share"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/shares/{share}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Ends a share at once: its link opens nothing any more, and who came through it is sent away. */
        delete: operations["end_share"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/ssh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the session is reached by ssh. */
        get: operations["ssh_access"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/ssh/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Adds a public key: who has its private key opens every node of the session by ssh, while the session lives. */
        post: operations["add_ssh_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/ssh/keys/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Removes a key; connections that were made with it end. */
        delete: operations["remove_ssh_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/ssh/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a one-time password: good for one sign-in by ssh, on any node of the session. */
        post: operations["make_ssh_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/xray": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the session's Docker Engines and its registry hold, and what each command changed, in words: a WebSocket of JSON
         *     text messages. The whole picture comes first, then what changes; each message replaces what an earlier one said of
         *     the same. It never starts an engine that sleeps, and costs nothing while nobody looks.
         */
        get: operations["xray"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stacks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The stacks that have a name: those of courses, and the operator's own. */
        get: operations["list_stacks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stacks/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a session with this stack would deploy. It starts nothing. */
        get: operations["plan_stack"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a session can be started as. */
        get: operations["list_templates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells that the server serves, for supervisors and load balancers. */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The answer to a quiz. */
        Answer: {
            /** @description Numbers of the chosen options, from 0. */
            answers: number[];
        };
        /** @description How a check came out. */
        CheckResult: {
            /** @description Where it does not hold: what is missing and, where it is known, what helps. Same form as the title. */
            hint?: string | null;
            /** @description Whether it holds. */
            passed: boolean;
            /** @description What must hold, plain text in which backticks mark code. */
            title: string;
        };
        /** @description How a step's checks came out. */
        Checked: {
            /** @description One for each check, in order. */
            checks: components["schemas"]["CheckResult"][];
            /** @description Whether there are some, and all have passed. */
            done: boolean;
        };
        /** @description Which host name an application shall see. */
        ChosenHost: {
            /** @description The host name. */
            host: components["schemas"]["SeenHost"];
        };
        /**
         * @description Where a deployment is.
         * @enum {string}
         */
        DeployStage: "preparing" | "deploying" | "starting" | "ready" | "failed";
        /** @description A published port. */
        DeployedPort: {
            /** @description Whether something answers there. */
            answers: boolean;
            /** @description The node where it is open, or is expected to be. */
            node: components["schemas"]["NodeName"];
            /**
             * Format: int32
             * @description The port.
             */
            port: number;
        };
        /** @description A stack that a session was started to deploy, and how far it is. */
        Deployment: {
            /** @description What is typed to deploy it. */
            command: string;
            /**
             * Format: int64
             * @description Bytes of images that are being downloaded now, on all nodes together; null where none are.
             */
            downloading?: number | null;
            /** @description Why it failed, in Docker's own words. */
            error?: string | null;
            /** @description Name of its folder, and of its Compose project or its stack in the swarm. */
            name: string;
            port?: components["schemas"]["DeployedPort"] | null;
            /** @description Its services, in the order of its file. */
            services: components["schemas"]["ServiceProgress"][];
            /** @description Where it comes from: a stack's id, or an address. */
            source: string;
            /** @description Where it is. */
            stage: components["schemas"]["DeployStage"];
            /** @description Whether it is a stack of a swarm. */
            swarm: boolean;
            /** @description The terminal of `node1` in which it is typed. */
            terminal: string;
        };
        /**
         * @description State of a node's Docker Engine.
         * @enum {string}
         */
        DockerState: "stopped" | "starting" | "ready" | "failed" | "absent";
        /** @description Whether the page that asks may embed terminals. */
        Embedding: {
            /** @description Whether the operator lists the page's origin (`sdk.origins`), or the page is the server's own. */
            allowed: boolean;
            /** @description The page's origin as the server sees it; null where the browser told none. */
            origin?: string | null;
            /** @description The server's version. */
            version: string;
        };
        /**
         * @description Why a session ended.
         * @enum {string}
         */
        EndReason: "closed" | "expired" | "lost" | "operator";
        /** @description A command. */
        Exec: {
            /** @description The program and its arguments, such as `["sh", "-c", "docker image ls"]`. */
            command: string[];
            /** @description Working folder; the user's home where absent. */
            cwd?: string | null;
            /** @description Further environment variables. */
            env?: {
                [key: string]: string;
            };
            /** @description What its standard input gets. */
            stdin?: string | null;
            /**
             * Format: int32
             * @description Seconds after which it is killed, 1 to 3600; 60 where absent.
             */
            timeout_s?: number | null;
            /**
             * @description As whom it runs: a user's name in the sandbox; where absent, whose terminals they are, which is root in most lab
             *     images.
             */
            user?: string | null;
        };
        /** @description How a command ended. */
        ExecResult: {
            /**
             * Format: int32
             * @description Its exit code; 128 + signal where a signal ended it.
             */
            exit_code: number;
            /** @description Its standard error, as UTF-8; at most 512 KiB. */
            stderr: string;
            /** @description Its standard output, as UTF-8; at most 512 KiB. */
            stdout: string;
            /** @description Whether its time ran out. */
            timed_out: boolean;
            /** @description Whether one of them was cut. */
            truncated: boolean;
        };
        /** @description A file or folder. */
        FileEntry: {
            /** @description Changes with every write. */
            etag: string;
            /** @description What it is. */
            kind: components["schemas"]["FileKind"];
            leads_to: components["schemas"]["FileKind"] | null;
            /**
             * Format: int32
             * @description Permission bits.
             */
            mode: number;
            /**
             * Format: int64
             * @description Milliseconds since 1970 of its last change.
             */
            modified_ms: number;
            /** @description Its name without folders; bytes that are not UTF-8 are replaced by U+FFFD, and such a name cannot be asked for. */
            name: string;
            /** @description Whether it lies where nothing can be replaced, such as /proc. */
            read_only: boolean;
            /**
             * Format: int64
             * @description Bytes; 0 also where it is not known before it is read, as in /proc.
             */
            size: number;
            /** @description Where a symbolic link points. */
            target: string | null;
        };
        /**
         * @description Kind of a file.
         * @enum {string}
         */
        FileKind: "file" | "folder" | "link" | "other";
        /** @description What is in a folder. */
        FileList: {
            /** @description What is in it, by name. */
            entries: components["schemas"]["FileEntry"][];
            /** @description The folder, without links in its path. */
            path: string;
            /** @description Whether there is more than is told. */
            truncated: boolean;
            /**
             * Format: int64
             * @description Most bytes of a file that may be written.
             */
            upload_limit: number;
        };
        /** @description What to move where: also a new name in the same folder. */
        FileMove: {
            /** @description What there is. */
            from: string;
            /** @description Where it goes, with its new name. */
            to: string;
        };
        /** @description What opens a session's ports for `boatyard forward`. It is told this once. */
        ForwardToken: {
            /** @description Until when it is good (RFC 3339), as long as the session lives. */
            expires_at: string;
            /** @description The session's id, a dot, and a token: value of `BOATYARD_SESSION`. */
            session: string;
        };
        /** @description A graded answer. */
        Graded: {
            /** @description Whether exactly the right options were chosen. */
            correct: boolean;
            /** @description What is to be said of the whole question. */
            explanation?: string | null;
            /** @description The options that have an explanation, or were chosen. */
            explanations: components["schemas"]["GradedOption"][];
        };
        /** @description An option of a graded answer. */
        GradedOption: {
            /** @description Whether it is a right one. */
            correct: boolean;
            /** @description Its number, from 0. */
            index: number;
            /** @description What is to be said of it. */
            text?: string | null;
        };
        /** @description Someone who came through a share. */
        GuestView: {
            /** @description When they first came (RFC 3339). */
            came_at: string;
            /** @description Whether they are there now. */
            here: boolean;
            /** @description What they go by. */
            name: string;
        };
        /** @description What the server says of itself. */
        Health: {
            /**
             * Format: int32
             * @description Most sessions at one time.
             */
            max_sessions: number;
            /** @description Sessions that run now. */
            sessions: number;
            /** @description Always `ok`: a server that is not answers nothing. */
            status: string;
            /** @description Version of Boatyard. */
            version: string;
        };
        /**
         * @description From where an image comes.
         * @enum {string}
         */
        ImageSource: "catalogue" | "upstream" | "built" | "nowhere";
        /** @description As what a node shall join. */
        JoinSwarm: {
            /** @description What it shall be. */
            role: components["schemas"]["SwarmRole"];
        };
        /** @description A lab image. */
        LabImage: {
            /** @description Whether sessions get it unless they ask for another. */
            default: boolean;
            /** @description Name of its distribution. */
            distribution: string;
            /** @description Its name, as a session is asked for with it. */
            name: string;
            /** @description What it is, in one line; empty where nobody said. */
            summary: string;
            /** @description Versions of what matters in it: label, such as `docker`, to version. */
            versions: {
                [key: string]: string;
            };
        };
        /**
         * @description A limit that a node has come to.
         * @enum {string}
         */
        LimitReached: "out-of-memory" | "processes" | "disk";
        /** @description A share that was just made. */
        MadeShare: components["schemas"]["ShareView"] & {
            /** @description Its link. It is told this once. */
            url: string;
        };
        /** @description What a further node shall be. */
        NewNode: {
            /** @description Its lab image; that of the session's first node where absent. */
            image?: string | null;
        };
        /** @description A link that was just made. */
        NewPortLink: components["schemas"]["PortLinkView"] & {
            /** @description Its address, which opens the port to whoever has it. It is told this once. */
            url: string;
        };
        /** @description What a session shall be. */
        NewSession: {
            /** @description Id of a course; goes with `lesson`. */
            course?: string | null;
            /** @description Name of the lab image; the template's, the lesson's or the server's usual one, where absent. */
            image?: string | null;
            /** @description Id of a lesson of that course, which the session's page shows. */
            lesson?: string | null;
            stack?: components["schemas"]["StackWish"] | null;
            /** @description Name of a template; one node where absent, or the first with a swarm where a stack wants one. */
            template?: string | null;
        };
        /** @description How a session shall be shared. */
        NewShare: {
            /** @description What those who have the link may do. */
            kind: components["schemas"]["ShareKind"];
            /** @description What the owner calls it, such as "Class"; up to 60 characters. */
            label?: string;
        };
        /** @description A key to add. */
        NewSshKey: {
            /** @description A line as it stands in `~/.ssh/id_ed25519.pub`. */
            key: string;
            /** @description What to call it; the line's comment where absent. */
            name?: string | null;
        };
        /**
         * @description Name of a node within its session, such as `node1`: `[a-z][a-z0-9]{0,15}`, without a dash, since it stands between
         *     dashes in host names.
         */
        NodeName: string;
        /** @description A node of a session. */
        NodeView: {
            /** @description Its address on the session's network. */
            address: string;
            /** @description State of its Docker Engine. */
            docker: components["schemas"]["DockerState"];
            /** @description The lab image that it was made from. */
            image: string;
            /** @description Its name. */
            name: components["schemas"]["NodeName"];
            /** @description Ports that listen. */
            ports: components["schemas"]["PortView"][];
            swarm?: components["schemas"]["SwarmRole"] | null;
        };
        /** @description Someone whose page of the session is open. */
        PersonView: {
            /** @description What they go by, as they say themselves. */
            name: string;
            /**
             * Format: int32
             * @description Number within the session: the owner's is 0.
             */
            number: number;
            /** @description What they may do. */
            right: components["schemas"]["Right"];
            terminal?: components["schemas"]["TerminalAt"] | null;
        };
        /** @description What there is to know when there is no place for another session. */
        Places: {
            /** @description When the first of them ends at the latest (RFC 3339). */
            next_end?: string | null;
            /**
             * Format: int32
             * @description How many sessions run.
             */
            running?: number | null;
            /** @description The sessions that the client has. */
            sessions?: components["schemas"]["SessionId"][];
        };
        /** @description A service of a stack. */
        PlannedService: {
            /** @description From where that comes. */
            from: components["schemas"]["ImageSource"];
            /** @description Its image; null where it is only built. */
            image?: string | null;
            /** @description Its name. */
            name: string;
            /** @description The TCP ports that it publishes; what Docker chooses is not among them. */
            ports: number[];
        };
        /** @description What a session has chosen for its ports. */
        PortChoices: {
            /** @description The ports whose applications see another host name than the usual one, `original`. */
            hosts: components["schemas"]["PortHostView"][];
            /** @description The links that share ports, oldest first within their node. */
            links: components["schemas"]["PortLinkView"][];
        };
        /** @description The host name that the application on a port sees. */
        PortHostView: {
            /** @description The host name. */
            host: components["schemas"]["SeenHost"];
            /** @description The node. */
            node: components["schemas"]["NodeName"];
            /**
             * Format: int32
             * @description The port.
             */
            port: number;
        };
        /** @description A link that shares a port with whoever has it. */
        PortLinkView: {
            /** @description When it was made (RFC 3339). */
            created_at: string;
            /**
             * Format: uuid
             * @description Its id, which opens nothing.
             */
            id: string;
            /** @description The node. */
            node: components["schemas"]["NodeName"];
            /**
             * Format: int32
             * @description The port.
             */
            port: number;
        };
        /** @description Where on the port to go. */
        PortTarget: {
            /** @description Path, with a query and a fragment if there are any; `/` where absent. */
            path?: string | null;
        };
        /** @description Where a port opens. */
        PortTicket: {
            /** @description The address, for a browser and good for a minute: it leads on to the port's own host name, which it opens for good. */
            url: string;
        };
        /** @description A port that listens in a node. */
        PortView: {
            /**
             * Format: int32
             * @description The port.
             */
            port: number;
            /** @description Where its owner opens it. */
            url: string;
        };
        /** @description Where a learner is. */
        Position: {
            /** @description Id of the step that is looked at. */
            current_step: string;
        };
        /** @description An error answer. */
        Problem: (components["schemas"]["Places"] | null) & {
            /** @description For programs: which of several problems with the same status it is. */
            code?: string | null;
            /** @description The particulars, and what to do. */
            detail?: string | null;
            /**
             * Format: int32
             * @description HTTP status.
             */
            status: number;
            /** @description What went wrong, in a few words. */
            title: string;
            /** @description Always `about:blank`: the status and `code` tell the kind. */
            type: string;
        };
        /** @description How far a session has come in one lesson. */
        Progress: {
            /** @description The step that was last looked at. */
            current_step?: string | null;
            /** @description Answered quizzes by their id. */
            quizzes: {
                [key: string]: components["schemas"]["QuizState"];
            };
            /** @description Steps whose checks have all passed at some time. */
            steps_done: string[];
        };
        /**
         * @description The name by which a session is known where anyone may look: in host names of ports and in the registry's storage. It
         *     opens nothing. Ten characters of `a-z0-9`, the first a letter.
         */
        PublicName: string;
        /** @description An image. */
        PushedImage: {
            /** @description When it was made, if it says so (RFC 3339). */
            created?: string | null;
            /** @description Digest of its manifest or index. */
            digest: string;
            /** @description Its layers, lowest first; of an index, those of all its images. */
            layers: components["schemas"]["PushedLayer"][];
            /** @description Media type of that. */
            media_type: string;
            /** @description The platforms of an index, such as `linux/amd64`; empty where it is a single image. */
            platforms: string[];
            /** @description TCP ports that it says it listens on. */
            ports: number[];
            /**
             * Format: int64
             * @description Bytes to pull: configuration and layers, compressed.
             */
            size: number;
        };
        /** @description A layer. */
        PushedLayer: {
            /** @description Images of the catalogue that have it, the one with the fewest layers first; the first few. */
            catalogue: string[];
            /** @description The instruction of the Dockerfile that made it, if that is known. */
            created_by?: string | null;
            /** @description Its digest. */
            digest: string;
            /** @description Other tags of this session that have it, such as `me/app:1.0`; the first few. */
            shared_with: string[];
            /**
             * Format: int64
             * @description Its bytes, compressed.
             */
            size: number;
        };
        /** @description A repository. */
        PushedRepository: {
            /** @description Its name, such as `me/app`. */
            name: string;
            /** @description Its tags, the last pushed first. */
            tags: components["schemas"]["PushedTag"][];
        };
        /** @description A tag, and the image that it names. */
        PushedTag: components["schemas"]["PushedImage"] & {
            /** @description The tag, such as `1.0`. */
            name: string;
            /** @description When it was pushed (RFC 3339). */
            pushed_at: string;
        };
        /** @description The last answer to a quiz. */
        QuizState: {
            /** @description Numbers of the options that were chosen. */
            answers: number[];
            /** @description Whether it was right. */
            correct: boolean;
        };
        /** @description What a session has pushed. */
        RegistryContents: {
            /** @description How many repositories and tags are left off, because there are too many to tell. */
            left_off: number;
            /**
             * Format: int64
             * @description Bytes that it may take.
             */
            quota: number;
            /** @description Its repositories, by name. */
            repositories: components["schemas"]["PushedRepository"][];
            /**
             * Format: int64
             * @description Bytes that it takes: each layer once, and those of the catalogue not at all.
             */
            stored: number;
        };
        /**
         * @description What someone may do in a session: each includes those before it. `web::rights` says what needs which.
         * @enum {string}
         */
        Right: "watch" | "type" | "own";
        /**
         * @description Which host name an application sees.
         * @enum {string}
         */
        SeenHost: "original" | "localhost";
        /** @description How far a service is. */
        ServiceProgress: {
            /** @description Its image; null where it is only built. */
            image?: string | null;
            /** @description Its name. */
            name: string;
            /** @description Where it is. */
            state: components["schemas"]["ServiceState"];
            /** @description The same in words, such as `2 of 3 run`. */
            words: string;
        };
        /**
         * @description Where a service is.
         * @enum {string}
         */
        ServiceState: "waiting" | "pulling" | "building" | "created" | "starting" | "running" | "done" | "failed";
        /** @description A message to the page. They replace what an earlier one of their kind said, so one that comes twice does no harm. */
        SessionEvent: {
            /** @description The session. */
            session: components["schemas"]["SessionView"];
            /** @enum {string} */
            type: "session";
        } | {
            /** @description The node. */
            node: components["schemas"]["NodeName"];
            /** @description All of them. */
            ports: components["schemas"]["PortView"][];
            /** @enum {string} */
            type: "ports";
        } | {
            /** @description The node. */
            node: components["schemas"]["NodeName"];
            /** @enum {string} */
            type: "usage";
            /** @description What it uses. */
            usage: components["schemas"]["UsageView"];
        } | {
            /** @description Which. */
            limit: components["schemas"]["LimitReached"];
            /** @description The node. */
            node: components["schemas"]["NodeName"];
            /** @enum {string} */
            type: "limit-reached";
        } | {
            /** @description The node. */
            node: components["schemas"]["NodeName"];
            /** @enum {string} */
            type: "node-lost";
        } | {
            /** @description The node. */
            node: components["schemas"]["NodeName"];
            /** @description The state. */
            state: components["schemas"]["DockerState"];
            /** @enum {string} */
            type: "docker";
        } | {
            /** @description The node. */
            node: components["schemas"]["NodeName"];
            /** @description All of them, in order of opening. */
            terminals: components["schemas"]["TerminalInfo"][];
            /** @enum {string} */
            type: "terminals";
        } | {
            /** @enum {string} */
            type: "registry";
        } | {
            /** @description The deployment. */
            deployment: components["schemas"]["Deployment"];
            /** @enum {string} */
            type: "deployment";
        } | (components["schemas"]["Checked"] & {
            /** @description `course/lesson`. */
            lesson: string;
            /** @description The step's id. */
            step: string;
        } & {
            /** @enum {string} */
            type: "checks";
        }) | (components["schemas"]["Progress"] & {
            /** @description `course/lesson`. */
            lesson: string;
        } & {
            /** @enum {string} */
            type: "progress";
        }) | {
            /** @description All of them: the owner first, then guests in the order of their numbers. */
            people: components["schemas"]["PersonView"][];
            /** @enum {string} */
            type: "people";
            /**
             * Format: int32
             * @description Number of who is told.
             */
            you: number;
        } | {
            /**
             * Format: int32
             * @description Their number.
             */
            person: number;
            /** @enum {string} */
            type: "typing";
        } | {
            /** @enum {string} */
            type: "unshared";
        } | {
            /**
             * Format: int64
             * @description Seconds until its end.
             */
            seconds_left: number;
            /** @enum {string} */
            type: "warning";
        } | {
            /** @description Why. */
            reason: components["schemas"]["EndReason"];
            /** @enum {string} */
            type: "ended";
        };
        /**
         * Format: uuid
         * @description Id of a session: random, and what opens it together with its owner's cookie or its token.
         */
        SessionId: string;
        /** @description A session. */
        SessionView: {
            /** @description The course that it was started for. */
            course?: string | null;
            /** @description When it was started (RFC 3339). */
            created_at: string;
            deployment?: components["schemas"]["Deployment"] | null;
            /** @description When it ends (RFC 3339). */
            expires_at: string;
            /**
             * Format: int32
             * @description How often it can still be extended.
             */
            extensions_left: number;
            /** @description Its id. */
            id: components["schemas"]["SessionId"];
            /** @description The lesson that it was started for. */
            lesson?: string | null;
            /** @description Its nodes. */
            nodes: components["schemas"]["NodeView"][];
            /** @description The name by which it is known in host names of ports; opens nothing. */
            public_name: components["schemas"]["PublicName"];
            /** @description `running`; a session that has ended is answered with status 410. */
            state: string;
            /** @description Its page. */
            url: string;
        };
        /**
         * Format: uuid
         * @description Id of a share. It opens nothing.
         */
        ShareId: string;
        /**
         * @description What a share lets others do.
         * @enum {string}
         */
        ShareKind: "watch" | "type";
        /** @description A share of a session. */
        ShareView: {
            /** @description Who came through it, in that order. */
            guests: components["schemas"]["GuestView"][];
            /** @description Its id. */
            id: components["schemas"]["ShareId"];
            /** @description What those who have its link may do. */
            kind: components["schemas"]["ShareKind"];
            /** @description What the owner calls it; empty where nobody said. */
            label: string;
            /** @description When it was made (RFC 3339). */
            made_at: string;
        };
        /** @description How a session is reached by ssh. A node's user name is `<public name of the session>-<node>`. */
        SshAccess: {
            /** @description Fingerprint of its host key, such as `SHA256:…`. */
            fingerprint: string;
            /** @description Host name of the ssh server. */
            host: string;
            /** @description Public keys that open the session, in order of adding. */
            keys: components["schemas"]["SshKey"][];
            /** @description The host key as a line of `known_hosts`. */
            known_hosts: string;
            /**
             * Format: int32
             * @description Most keys that it may have.
             */
            most_keys: number;
            /**
             * Format: int64
             * @description Seconds for which a one-time password is good.
             */
            password_seconds: number;
            /**
             * Format: int32
             * @description Its port.
             */
            port: number;
        };
        /** @description A public key that opens a session by ssh. */
        SshKey: {
            /** @description When it was added (RFC 3339). */
            added_at: string;
            /** @description Its kind, such as `ssh-ed25519`. */
            algorithm: string;
            /** @description Its fingerprint, such as `SHA256:…`. */
            fingerprint: string;
            /**
             * Format: int64
             * @description Its number.
             */
            id: number;
            /** @description What its owner calls it. */
            name: string;
        };
        /** @description A one-time password. It is told this once. */
        SshPassword: {
            /** @description Until when it is good (RFC 3339). */
            expires_at: string;
            /** @description The password; dashes may be left out. */
            password: string;
        };
        /** @description What is deployed where, before it is. */
        StackPlan: {
            /** @description What is typed to deploy it. */
            command: string;
            /** @description Stands for all its files: `sha256:…`. */
            digest: string;
            /** @description Whether it comes from an address. */
            fetched: boolean;
            /** @description Name of its Compose file. */
            file: string;
            /** @description Paths of all its files. */
            files: string[];
            /** @description A badge for a README that leads there, in Markdown. */
            markdown: string;
            /** @description Name of its folder, and of its Compose project or its stack in the swarm. */
            name: string;
            /**
             * Format: int32
             * @description Nodes that the session has.
             */
            nodes: number;
            /**
             * Format: int32
             * @description The first port that it publishes; null where it publishes none, or Docker chooses it.
             */
            port?: number | null;
            /** @description Its services, in the order of its file. */
            services: components["schemas"]["PlannedService"][];
            /** @description Where it comes from: a stack's id, or an address. */
            source: string;
            /** @description What it shows; null where nobody said. */
            summary?: string | null;
            /** @description Whether it is deployed as a stack of a swarm. */
            swarm: boolean;
            /** @description Name of the template. */
            template: string;
            /** @description Text of its Compose file. */
            text: string;
            /** @description What the pages call it. */
            title: string;
            /** @description Address of its page. */
            url: string;
            /** @description What may not work, in words; `code` in backticks. */
            warnings: string[];
        };
        /** @description A stack with a name. */
        StackView: {
            /** @description What no other stack is called: `course/name`, or the name alone. */
            id: string;
            /** @description Its name. */
            name: string;
            /** @description Its services, in the order of its file. */
            services: string[];
            /** @description What it shows; null where nobody said. */
            summary?: string | null;
            /** @description What the pages call it. */
            title: string;
            /** @description Address of its page. */
            url: string;
        };
        /** @description A stack for a new session. */
        StackWish: {
            /** @description Digest of what was looked at, by `GET /api/v1/stacks/plan`: anything else is not deployed. */
            digest?: string | null;
            /** @description What it shall be called: up to 32 of `a-z`, `0-9` and dash. Made from the source where absent. */
            name?: string | null;
            /**
             * @description Name of a stack (`counter`, or `course/counter`), or the address of a Compose file on a host that the operator
             *     allows.
             */
            source: string;
            /** @description Whether it is deployed as a stack of a swarm. Where absent, it is where the template has a swarm. */
            swarm?: boolean | null;
        };
        /** @description A session that was just started. */
        StartedSession: components["schemas"]["SessionView"] & {
            /**
             * @description To a page of another origin only: who its browser is. Sent as `X-Boatyard-Client` with the next start, it has the
             *     browser's sessions counted; it opens nothing.
             */
            client?: string | null;
            /** @description Opens the session without a cookie, as `Authorization: Bearer <token>`. It is told this once. */
            token: string;
        };
        /**
         * @description What a node is in its swarm.
         * @enum {string}
         */
        SwarmRole: "manager" | "worker";
        /** @description A kind of session to choose from. */
        Template: {
            /** @description Files that it begins with. */
            files?: components["schemas"]["TemplateFile"][];
            /** @description Lab image of its nodes; the configured one where absent. */
            image?: string | null;
            /** @description `course/lesson` that its page shows. */
            lesson?: string | null;
            /**
             * Format: int32
             * @description How many of them are managers of a swarm of all, the first ones; 0 makes no swarm.
             */
            managers?: number;
            /** @description Its name in addresses and the API: up to 32 of `a-z`, `0-9` and dash. */
            name: string;
            /**
             * Format: int32
             * @description How many nodes it has.
             */
            nodes?: number;
            /** @description A shell script that runs as root on node1 once all else is there; its output is in `/var/log/boatyard-start.log`. */
            start?: string | null;
            /** @description What the pages call it. */
            title: string;
        };
        /** @description A file that a session begins with. */
        TemplateFile: {
            /** @description Its text. */
            content: string;
            /** @description The node; all of them where absent. */
            node?: string | null;
            /** @description Absolute path. */
            path: string;
        };
        /** @description Which terminal. */
        TerminalAt: {
            /** @description The node. */
            node: components["schemas"]["NodeName"];
            /** @description The terminal's id. */
            terminal: string;
        };
        /** @description A terminal. */
        TerminalInfo: {
            /**
             * Format: int32
             * @description Columns.
             */
            cols: number;
            /** @description Working folder of that program, or of the shell. */
            cwd: string | null;
            /**
             * Format: int32
             * @description Exit code of its process, once it has ended (128 + signal where a signal ended it).
             */
            exit_code: number | null;
            /** @description Name of the program in its foreground, such as `bash` or `vim`. */
            foreground: string | null;
            /**
             * Format: int64
             * @description Distinguishes terminals that had the same id one after the other: offsets count within one generation.
             */
            generation: number;
            /** @description Its id, unique in its node at one time. */
            id: string;
            /**
             * Format: int64
             * @description Bytes that it has put out since it was opened.
             */
            offset: number;
            /**
             * Format: int32
             * @description Rows.
             */
            rows: number;
            /**
             * Format: int32
             * @description Viewers attached now.
             */
            viewers: number;
        };
        /** @description Size of a new terminal. */
        TerminalSize: {
            /**
             * Format: int32
             * @description Columns, 2 to 1000.
             */
            cols: number;
            /**
             * Format: int32
             * @description Rows, 1 to 1000.
             */
            rows: number;
        };
        /** @description What a node uses, and what it may use. */
        UsageView: {
            /**
             * Format: double
             * @description Processors in use, such as 0.25.
             */
            cpus: number;
            /**
             * Format: double
             * @description Processors that it may use.
             */
            cpus_most: number;
            /**
             * Format: int64
             * @description Bytes of disk in use.
             */
            disk: number;
            /**
             * Format: int64
             * @description Bytes of disk that it has.
             */
            disk_most: number;
            /**
             * Format: int64
             * @description Bytes of memory in use.
             */
            memory: number;
            /**
             * Format: int64
             * @description Bytes of memory that it may use.
             */
            memory_most: number;
            /**
             * Format: int32
             * @description Processes and threads.
             */
            processes: number;
            /**
             * Format: int32
             * @description Processes and threads that it may have.
             */
            processes_most: number;
        };
        /** @description A variable's value. */
        VariableView: {
            /** @description Its name. */
            name: string;
            /** @description What it stands for in a command that is typed on the node now. */
            value: string;
        };
        /** @description A container: a writable layer on an image. */
        XrayContainer: {
            /** @description What it runs. */
            command: string;
            /** @description Its id. */
            id: string;
            /** @description Id of its image. */
            image: string;
            /** @description The name under which that was asked for. */
            image_name: string;
            /** @description Its name. */
            name: string;
            /** @description Names of its networks. */
            networks: string[];
            /** @description Its ports. */
            ports: components["schemas"]["XrayPort"][];
            /** @description `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`. */
            state: string;
            /** @description In words, such as `Exited (1) 3 seconds ago`. */
            status: string;
            /** @description Names of its volumes. */
            volumes: string[];
        };
        /** @description What just happened, in words. */
        XrayDeed: {
            /** @description When it was seen, RFC 3339. */
            at: string;
            /**
             * @description What changed and is there: ids of layers, images, containers and networks, `volume:<name>`, `registry:<name>`,
             *     `service:<id>`.
             */
            changed: string[];
            /** @description The node; absent for the registry. */
            node: string | null;
            /**
             * Format: int64
             * @description Counts up within a session while someone looks.
             */
            number: number;
            /** @description What did it, such as `docker build`; the words begin with it. */
            verb: string;
            /** @description The whole sentence, plain text. */
            words: string;
        };
        /**
         * @description State of a Docker Engine.
         * @enum {string}
         */
        XrayEngine: "asleep" | "starting" | "ready" | "failed" | "absent";
        /** @description What a container takes now: measured while someone looks. */
        XrayGauge: {
            /** @description The container's id. */
            container: string;
            /**
             * Format: double
             * @description Processors, of which 1.0 is one.
             */
            cpus: number | null;
            /**
             * Format: int64
             * @description Bytes of memory, without what the kernel can take back.
             */
            memory: number | null;
            /**
             * Format: int64
             * @description Bytes of its writable layer; measured more rarely.
             */
            writable: number | null;
        };
        /** @description An image: a stack of layers, and what to run. */
        XrayImage: {
            /** @description Whether BuildKit made it. */
            built: boolean;
            /**
             * Format: int64
             * @description Seconds since 1970 of its making.
             */
            created: number;
            /** @description Its id, such as `sha256:…`. */
            id: string;
            /** @description Its names with tags; none for one that lost its last name. */
            names: string[];
            /** @description Instructions that made no layer, such as `CMD ["python3"]`, in order. */
            settings: string[];
            /**
             * Format: int64
             * @description Bytes of all its layers.
             */
            size: number;
            /** @description Its topmost layer; absent where it has none, or is not described. */
            top: string | null;
        };
        /** @description A read-only layer. Images that share it name it once. */
        XrayLayer: {
            /** @description Chain id: names the layer together with all that are below it. */
            id: string;
            /** @description The Dockerfile's instruction that made it, where the image tells. */
            instruction: string | null;
            /** @description The layer below. */
            parent: string | null;
            /**
             * Format: int64
             * @description Bytes.
             */
            size: number;
        };
        /** @description A message to the page. */
        XrayMessage: {
            /** @description What happened while someone looked, oldest first. */
            deeds: components["schemas"]["XrayDeed"][];
            /** @description The picture. */
            picture: components["schemas"]["XrayPicture"];
            /** @enum {string} */
            type: "picture";
        } | {
            /** @description What it holds. */
            node: components["schemas"]["XrayNode"];
            /** @enum {string} */
            type: "node";
        } | {
            /** @description What it holds. */
            registry: components["schemas"]["XrayRegistry"];
            /** @enum {string} */
            type: "registry";
        } | {
            /** @description The node. */
            node: string;
            /** @enum {string} */
            type: "under-way";
            /** @description What is under way. */
            under_way: components["schemas"]["XrayUnderWay"][];
        } | {
            /** @description One for each. */
            gauges: components["schemas"]["XrayGauge"][];
            /** @description The node. */
            node: string;
            /** @enum {string} */
            type: "gauges";
        } | {
            /** @description Oldest first. */
            deeds: components["schemas"]["XrayDeed"][];
            /** @enum {string} */
            type: "deeds";
        };
        /** @description A network. */
        XrayNetwork: {
            /** @description Its driver, such as `bridge` or `overlay`. */
            driver: string;
            /** @description Its id. */
            id: string;
            /** @description Its name. */
            name: string;
            /** @description Its first subnet. */
            subnet: string | null;
        };
        /** @description What one node's Docker Engine holds. */
        XrayNode: {
            /** @description Containers, newest first. */
            containers: components["schemas"]["XrayContainer"][];
            /** @description State of its engine. Of one that is not ready nothing else is known. */
            engine: components["schemas"]["XrayEngine"];
            /** @description Images, newest first. */
            images: components["schemas"]["XrayImage"][];
            /** @description Layers of its images, each once, parents before children. */
            layers: components["schemas"]["XrayLayer"][];
            /** @description Containers that are not listed. */
            more_containers: number;
            /** @description Images that are not listed. */
            more_images: number;
            /** @description Networks that are not listed. */
            more_networks: number;
            /** @description Volumes that are not listed. */
            more_volumes: number;
            /** @description Networks, without Docker's own `host` and `none`. */
            networks: components["schemas"]["XrayNetwork"][];
            /** @description Its name, such as `node1`. */
            node: string;
            swarm: components["schemas"]["XraySwarm"] | null;
            /** @description What is being pulled or built now. */
            under_way: components["schemas"]["XrayUnderWay"][];
            /** @description Volumes. */
            volumes: components["schemas"]["XrayVolume"][];
        };
        /** @description What a session's Docker Engines and its registry hold. */
        XrayPicture: {
            /** @description The session's nodes, in order. */
            nodes: components["schemas"]["XrayNode"][];
            /** @description What the session has pushed. */
            registry: components["schemas"]["XrayRegistry"];
        };
        /** @description A port of a container. */
        XrayPort: {
            /**
             * Format: int32
             * @description Port of the container.
             */
            container: number;
            /** @description `tcp`, `udp` or `sctp`. */
            protocol: string;
            /**
             * Format: int32
             * @description Port of the node that leads there.
             */
            published: number | null;
        };
        /** @description A tag in the registry. */
        XrayPushed: {
            /** @description Digest of its manifest. */
            digest: string;
            /** @description Its layers, the lowest first. */
            layers: components["schemas"]["XrayPushedLayer"][];
            /** @description The name under which Docker pulls it, such as `registry.lab:5000/me/app:1.0`. */
            name: string;
        };
        /** @description A layer in the registry. */
        XrayPushedLayer: {
            /** @description Whether the catalogue has it too, so that it was never sent. */
            catalogue: boolean;
            /** @description Digest of the compressed layer. */
            digest: string;
            /** @description Chain id: the same as that of the layer which the engine made of it or it of that. */
            id: string | null;
            /**
             * Format: int64
             * @description Bytes, compressed.
             */
            size: number;
        };
        /** @description What the session has in its registry. */
        XrayRegistry: {
            /** @description Its tags, by repository. */
            images: components["schemas"]["XrayPushed"][];
            /** @description Tags that are not listed. */
            more: number;
        };
        /** @description A service of a swarm. */
        XrayService: {
            /** @description Its id. */
            id: string;
            /** @description The image that its tasks run, without digest. */
            image: string;
            /** @description Its name. */
            name: string;
            /** @description Its ports. */
            ports: components["schemas"]["XrayPort"][];
            /**
             * Format: int64
             * @description Tasks wanted; absent for a global one, which has one on each node.
             */
            replicas: number | null;
            /** @description Tasks that run. */
            running: number;
        };
        /** @description A swarm, as one of its managers sees it. */
        XraySwarm: {
            /** @description Its nodes. */
            nodes: components["schemas"]["XraySwarmNode"][];
            /** @description Its services. */
            services: components["schemas"]["XrayService"][];
            /** @description Tasks that are wanted, by service. */
            tasks: components["schemas"]["XrayTask"][];
        };
        /** @description A node of a swarm. */
        XraySwarmNode: {
            /** @description `active`, `pause` or `drain`. */
            availability: string;
            /** @description Its id in the swarm. */
            id: string;
            /** @description Whether it leads. */
            leader: boolean;
            /** @description Its host name. */
            name: string;
            /** @description `manager` or `worker`. */
            role: string;
            /** @description `ready`, `down` or `unknown`. */
            state: string;
        };
        /** @description A task of a service: one container on one node. */
        XrayTask: {
            /** @description Its id. */
            id: string;
            /** @description Id of the swarm's node that it is on; absent while it has none. */
            node: string | null;
            /** @description Id of its service. */
            service: string;
            /**
             * Format: int64
             * @description Its number in a replicated service.
             */
            slot: number | null;
            /** @description Such as `running`, `preparing` or `rejected`. */
            state: string;
        };
        /** @description A pull or a build while it runs. */
        XrayUnderWay: {
            /** @description What is going on. */
            kind: components["schemas"]["XrayUnderWayKind"];
            /** @description Its steps or layers so far, oldest first. */
            steps: components["schemas"]["XrayUnderWayStep"][];
            /** @description What it is at, in words. */
            words: string;
        };
        /**
         * @description Kind of an [`UnderWay`].
         * @enum {string}
         */
        XrayUnderWayKind: "pull" | "build";
        /** @description A step of a build, or a layer of a pull. */
        XrayUnderWayStep: {
            /** @description Whether it is done. */
            done: boolean;
            /** @description Chain id of the layer, where it is known. */
            layer: string | null;
            /**
             * Format: int64
             * @description Bytes.
             */
            size: number;
            /** @description The step's instruction, or the layer's short name. */
            words: string;
        };
        /** @description A volume. */
        XrayVolume: {
            /** @description Its driver. */
            driver: string;
            /** @description Its name. */
            name: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    embedding: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Embedding"];
                };
            };
        };
    };
    list_images: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LabImage"][];
                };
            };
        };
    };
    list_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"][];
                };
            };
        };
    };
    create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description May be left out */
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSession"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StartedSession"];
                };
            };
            /** @description The stack is at an address that the server does not ask */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such lesson, lab image, template or stack */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The stack has changed (`stack-changed`), or the lab image has no Docker Engine */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The stack is no Compose file, or cannot be deployed that way */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The client has as many as it may have (`client-limit`, `address-limit`) */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The stack's server cannot be reached */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description All places are taken (`full`) */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The stack's server does not answer in time */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deploy_again: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deployment"];
                };
            };
            /** @description No such session, or it has no stack */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is being deployed, or the terminal is busy */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    events: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Each message */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionEvent"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description As many guests as there may be (`too-many-guests`) */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    extend: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No extension is left */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    make_forward_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ForwardToken"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    progress: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description Id of the course. */
                course: string;
                /** @description Id of the lesson. */
                lesson: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Progress"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_position: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description Id of the course. */
                course: string;
                /** @description Id of the lesson. */
                lesson: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Position"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    answer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description Id of the course. */
                course: string;
                /** @description Id of the lesson. */
                lesson: string;
                /** @description Id of the quiz. */
                quiz: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Answer"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Graded"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    check: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description Id of the course. */
                course: string;
                /** @description Id of the lesson. */
                lesson: string;
                /** @description Id of the step. */
                step: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Checked"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_node: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        /** @description May be left out */
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewNode"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeView"];
                };
            };
            /** @description No such session or lab image */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The session has as many as it may have (`node-limit`) */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description All places are taken (`full`) */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_node: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
                node: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It is the last (`last-node`) */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exec: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
                node: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Exec"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecResult"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_file: {
        parameters: {
            query: {
                /** @description Its absolute path, without `..`. */
                path: string;
            };
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
                node: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description No regular file */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A folder */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    write_file: {
        parameters: {
            query: {
                /** @description Its absolute path, without `..`. */
                path: string;
                /** @description Permission bits of a new file, as a decimal number; 420 (0644) where absent. */
                mode?: number | null;
            };
            header?: {
                "if-match"?: string | null;
                "if-none-match"?: string | null;
            };
            path: {
                id: components["schemas"]["SessionId"];
                node: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": number[];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileEntry"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Nothing can be changed there */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It was changed meanwhile (`changed`) */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Larger than an upload may be (`too-large`) */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The disk is full (`disk-full`) */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_file: {
        parameters: {
            query: {
                /** @description Its absolute path, without `..`. */
                path: string;
            };
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
                node: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, or never was */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description In use */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    make_folder: {
        parameters: {
            query: {
                /** @description Its absolute path, without `..`. */
                path: string;
            };
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
                node: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileEntry"];
                };
            };
            /** @description Something else has the name */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_files: {
        parameters: {
            query: {
                /** @description Its absolute path, without `..`. */
                path: string;
            };
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
                node: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileList"];
                };
            };
            /** @description No folder */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    move_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
                node: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FileMove"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileEntry"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The new name is taken, or on another file system */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    download_folder: {
        parameters: {
            query: {
                /** @description Its absolute path, without `..`. */
                path: string;
            };
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
                node: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-tar": number[];
                };
            };
            /** @description No folder */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many at once */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    port_ticket: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description The node. */
                node: string;
                /** @description The port. */
                port: string;
            };
            cookie?: never;
        };
        /** @description May be left out */
        requestBody: {
            content: {
                "application/json": components["schemas"]["PortTarget"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortTicket"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No address is left for the port */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    join_swarm: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
                node: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JoinSwarm"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeView"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It is in a swarm, or its Docker Engine refused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    forward_tcp: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description The node. */
                node: string;
                /** @description The port. */
                port: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description As many connections as the session may have */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Nothing listens on the port */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_terminals: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
                node: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TerminalInfo"][];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    open: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description The node. */
                node: string;
                /** @description The terminal: up to 32 of `a-z`, `0-9` and dash. */
                terminal: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TerminalSize"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TerminalInfo"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description As many as there may be */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    close: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description The node. */
                node: string;
                /** @description The terminal: up to 32 of `a-z`, `0-9` and dash. */
                terminal: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    socket: {
        parameters: {
            query?: {
                generation?: number;
                offset?: number;
                cols?: number;
                rows?: number;
                read_only?: boolean;
            };
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description The node. */
                node: string;
                /** @description The terminal: up to 32 of `a-z`, `0-9` and dash. */
                terminal: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description As many guests as there may be (`too-many-guests`) */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    variable: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description The node on which the command is typed. */
                node: string;
                /** @description Its name, such as `swarm.join`. */
                variable: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VariableView"];
                };
            };
            /** @description No such session, node or variable */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It stands for nothing now (`no-swarm`, `member`) */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    port_choices: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortChoices"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    choose_port_host: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description The node. */
                node: string;
                /** @description The port. */
                port: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChosenHost"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many are set */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    share_port: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description The node. */
                node: string;
                /** @description The port. */
                port: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewPortLink"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The node has as many as it may have */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke_port_link: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description The node. */
                node: string;
                /** @description The port. */
                port: number;
                /** @description The link's id. */
                link: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    registry_contents: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistryContents"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_repository: {
        parameters: {
            query: {
                /** @description Its name, such as `me/app`. */
                repository: string;
            };
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_tag: {
        parameters: {
            query: {
                /** @description Name of its repository, such as `me/app`. */
                repository: string;
                /** @description The tag, such as `1.0`. */
                tag: string;
            };
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_shares: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShareView"][];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    make_share: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewShare"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeShare"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The session has as many as it may have (`share-limit`) */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    end_share: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description The share. */
                share: components["schemas"]["ShareId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ssh_access: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SshAccess"];
                };
            };
            /** @description No such session, or the server has no ssh (`no-ssh`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_ssh_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSshKey"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SshKey"];
                };
            };
            /** @description It is no public key */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The session has it, or as many as it may have */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_ssh_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                id: string;
                /** @description Number of the key. */
                key: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    make_ssh_password: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SshPassword"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    xray: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Each message */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["XrayMessage"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_stacks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StackView"][];
                };
            };
        };
    };
    plan_stack: {
        parameters: {
            query: {
                /**
                 * @description Name of a stack (`counter`, or `course/counter`), or the address of a Compose file on a host that the operator
                 *     allows.
                 */
                stack: string;
                /** @description Name of a template; one node where absent, or the first with a swarm where one is wanted. */
                template?: string;
                /** @description Whether it is deployed as a stack of a swarm: `1` or `0`. Where absent, it is where the template has a swarm. */
                swarm?: boolean;
                /** @description What it shall be called: up to 32 of `a-z`, `0-9` and dash. */
                name?: string;
                /** @description Digest of what was looked at: anything else is not deployed. */
                digest?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StackPlan"];
                };
            };
            /** @description No address, name or swarm (`bad-address`, `bad-name`, `no-swarm`) */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An address that the server does not ask (`refused-address`) */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such stack or template (`unknown-stack`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not what has the digest (`stack-changed`) */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No Compose file, or one that cannot be deployed (`bad-stack`, `stack-too-large`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Its server cannot be reached (`unreachable`) */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Its server does not answer in time (`unreachable`) */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_templates: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Template"][];
                };
            };
        };
    };
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
}
