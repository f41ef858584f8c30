-- What an application on a port sees as its host name, where it is not the usual one.
CREATE TABLE port_hosts (
    sandbox TEXT NOT NULL REFERENCES nodes (sandbox) ON DELETE CASCADE,
    port    INTEGER NOT NULL,
    host    TEXT NOT NULL,                       -- original, localhost
    PRIMARY KEY (sandbox, port)
) STRICT;

-- Links that open one port to whoever has them. They go with the sandbox: a later node of the same name has none.
CREATE TABLE port_links (
    id         TEXT PRIMARY KEY,
    sandbox    TEXT NOT NULL REFERENCES nodes (sandbox) ON DELETE CASCADE,
    port       INTEGER NOT NULL,
    key_hash   BLOB NOT NULL UNIQUE,             -- SHA-256 of the key in the link
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX port_links_by_sandbox ON port_links (sandbox);
