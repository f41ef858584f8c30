-- Links by which a session's owner lets others in.
CREATE TABLE shares (
    id          TEXT PRIMARY KEY,
    session     TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,                   -- watch, type
    secret_hash BLOB NOT NULL,                   -- SHA-256 of what the link ends with
    label       TEXT NOT NULL,                   -- the owner's own words, or nothing
    made_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX shares_by_session ON shares (session);

-- Who came through them: browsers, each by a random id that its cookie holds.
CREATE TABLE guests (
    id      TEXT PRIMARY KEY,
    share   TEXT NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,                    -- counted within the session, from 1
    name    TEXT NOT NULL,                       -- what the guest goes by, or nothing
    came_at INTEGER NOT NULL
) STRICT;
CREATE INDEX guests_by_share ON guests (share);
