-- An item is sending while it has an attempt without an outcome: its row stays as it was, and is written once, at the end.
-- Who opens the ledger next makes these items unknown.
UPDATE item
SET
    state = 'pending',
    attempts = attempts - 1
WHERE job_id IN (SELECT id FROM job)
    AND state IN ('pending', 'sending', 'unknown')
    AND state = 'sending';
CREATE INDEX attempt_open ON attempt (item_id) WHERE outcome = '';

-- To SQLite a list of more than two values is a temporary table, made anew each time that it looks at a CHECK or at the
-- condition of an index: that was half of what a row cost. The conditions stay, with OR, which costs next to nothing.
-- Only the text of the schema changes, by the procedure for such changes in https://sqlite.org/lang_altertable.html:
-- checkSchema has made sure that it is the text of step 1.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = 'CREATE TABLE item (
    id           INTEGER PRIMARY KEY,
    job_id       INTEGER NOT NULL REFERENCES job (id),
    row          INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (
                     state = ''pending'' OR state = ''unknown'' OR state = ''created'' OR state = ''duplicate'' OR
                     state = ''failed'' OR state = ''invalid'' OR state = ''superseded''),
    invoice      BLOB             CHECK (invoice IS NULL OR length(invoice) = 16),
    invoice_id   TEXT    NOT NULL,
    reference    TEXT    NOT NULL,
    currency     TEXT    NOT NULL,
    amount       INTEGER NOT NULL,
    request      TEXT    NOT NULL,
    cells        TEXT    NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    unknown_ends INTEGER NOT NULL DEFAULT 0,
    session_id   TEXT    NOT NULL DEFAULT '''',
    url          TEXT    NOT NULL DEFAULT '''',
    expires_at   TEXT    NOT NULL DEFAULT '''',
    created_at   TEXT    NOT NULL DEFAULT '''',
    link_status  TEXT    NOT NULL DEFAULT '''' CHECK (
                     link_status = '''' OR link_status = ''open'' OR link_status = ''processing'' OR
                     link_status = ''paid'' OR link_status = ''expired''),
    checked_at   TEXT    NOT NULL DEFAULT '''', -- when Clink said so
    error_code   TEXT    NOT NULL DEFAULT '''',
    error        TEXT    NOT NULL DEFAULT '''',
    CHECK (state = ''invalid'' OR invoice IS NOT NULL AND amount > 0 AND request <> ''''),
    CHECK ((session_id <> '''' AND created_at <> '''') OR state NOT IN (''created'', ''duplicate'')),
    CHECK (url = '''' OR state IN (''created'', ''duplicate'')),
    CHECK (link_status = '''' OR state IN (''created'', ''duplicate'') AND checked_at <> '''')
) STRICT'
WHERE name = 'item';
UPDATE sqlite_schema
SET sql = 'CREATE TABLE attempt (
    item_id    INTEGER NOT NULL REFERENCES item (id),
    number     INTEGER NOT NULL,
    sent_at    TEXT    NOT NULL,
    ended_at   TEXT    NOT NULL DEFAULT '''',
    outcome    TEXT    NOT NULL DEFAULT '''' CHECK (
                     outcome = '''' OR outcome = ''created'' OR outcome = ''mismatch'' OR outcome = ''rejected'' OR
                     outcome = ''unknown'' OR outcome = ''not_sent'' OR outcome = ''throttled'' OR outcome = ''unauthorized'' OR
                     outcome = ''redirected'' OR outcome = ''misdirected''),
    status     INTEGER NOT NULL DEFAULT 0,
    code       TEXT    NOT NULL DEFAULT '''',
    message    TEXT    NOT NULL DEFAULT '''',
    session_id TEXT    NOT NULL DEFAULT '''',
    replaced   TEXT    NOT NULL DEFAULT '''', -- when its link, expired unpaid, was given up for a new one
    PRIMARY KEY (item_id, number),
    CHECK (replaced = '''' OR outcome = ''created'')
) STRICT, WITHOUT ROWID'
WHERE name = 'attempt';
PRAGMA writable_schema = RESET;

DROP INDEX item_open;
CREATE INDEX item_open ON item (job_id, state) WHERE state = 'pending' OR state = 'unknown';

-- What show lists: the rows without a link that have a reason on record.
CREATE INDEX item_problem ON item (job_id, state) WHERE error <> '' AND state <> 'duplicate';

-- Which items are about an invoice. It is filled at the end of an import, in its own order: an index on item, filled row by
-- row in the file's order, takes twice the time at a million rows.
CREATE TABLE claim (
    invoice BLOB    NOT NULL CHECK (length(invoice) = 16),
    item_id INTEGER NOT NULL, -- of item; no foreign key, which would be looked up for each row
    PRIMARY KEY (invoice, item_id)
) STRICT, WITHOUT ROWID;
INSERT INTO claim (invoice, item_id)
SELECT invoice, id
FROM item
WHERE invoice IS NOT NULL
ORDER BY invoice;
DROP INDEX item_invoice;

-- An import takes several transactions, so that the -wal stays small. Until the last one the job is not there for anybody;
-- what an import that was cut off has left is taken out when the next sender opens the ledger.
ALTER TABLE job ADD COLUMN imported INTEGER NOT NULL DEFAULT 1 CHECK (imported IN (0, 1));
