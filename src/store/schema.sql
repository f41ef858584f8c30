-- Times are milliseconds since 1970.
CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE sessions (
    id              TEXT PRIMARY KEY,
    public_name     TEXT NOT NULL UNIQUE,
    owner           TEXT NOT NULL,
    address         TEXT NOT NULL,               -- the client's network address, for the limit per address
    token_hash      BLOB NOT NULL,               -- SHA-256 of the bearer token
    network         INTEGER NOT NULL,            -- number of its private network
    state           TEXT NOT NULL,               -- starting, running, ended
    end_reason      TEXT,                        -- closed, expired, lost, operator
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    extensions_left INTEGER NOT NULL,
    course          TEXT,
    lesson          TEXT
) STRICT;
CREATE INDEX sessions_by_owner ON sessions (owner);
CREATE INDEX sessions_by_state ON sessions (state);

-- A row stays until the sandbox is gone with all its traces: only then are its range and its network free again.
CREATE TABLE nodes (
    sandbox  TEXT PRIMARY KEY,
    session  TEXT NOT NULL REFERENCES sessions (id),
    name     TEXT NOT NULL,
    range    INTEGER NOT NULL UNIQUE,            -- number of its range of user ids
    address  TEXT NOT NULL,
    image    TEXT NOT NULL,
    UNIQUE (session, name)
) STRICT;

CREATE TABLE lesson_positions (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    lesson  TEXT NOT NULL,                       -- course/lesson
    step    TEXT NOT NULL,
    PRIMARY KEY (session, lesson)
) STRICT;

CREATE TABLE steps_done (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    lesson  TEXT NOT NULL,
    step    TEXT NOT NULL,
    done_at INTEGER NOT NULL,
    PRIMARY KEY (session, lesson, step)
) STRICT;

CREATE TABLE quiz_answers (
    session     TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    lesson      TEXT NOT NULL,
    quiz        TEXT NOT NULL,
    answers     TEXT NOT NULL,                   -- JSON array of option numbers
    correct     INTEGER NOT NULL,
    tries       INTEGER NOT NULL,
    PRIMARY KEY (session, lesson, quiz)
) STRICT;
