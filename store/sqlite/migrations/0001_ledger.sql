-- The ledger itself, in one row. id tells it from every other ledger, but for its copies. state says whether it may be sent from: 'moving' and
-- 'moved' while it is transferred to the ledger other, 'filling' and 'filled' while it is transferred from there. transfer is that
-- transfer's number; origin is the number of the one that it was filled by once, and origin_id the ledger that it was filled from.
CREATE TABLE ledger (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    id        TEXT    NOT NULL,
    state     TEXT    NOT NULL CHECK (state IN ('open', 'moving', 'moved', 'filling', 'filled')),
    other     TEXT    NOT NULL DEFAULT '',
    other_id  TEXT    NOT NULL DEFAULT '',
    transfer  TEXT    NOT NULL DEFAULT '',
    origin    TEXT    NOT NULL DEFAULT '',
    origin_id TEXT    NOT NULL DEFAULT ''
) STRICT;
INSERT INTO ledger (one, id, state)
VALUES (1, lower(hex(randomblob(16))), 'open');

-- A job: one file's content, for one address, read one way. Its items are the rows first_item to last_item: nothing else makes items
-- while it is imported, so their ids are consecutive. An import takes several transactions; until the last one imported is 0 and
-- nobody sees the job.
CREATE TABLE job (
    id            INTEGER PRIMARY KEY,
    identity      BLOB    NOT NULL UNIQUE CHECK (length(identity) = 32),
    file          TEXT    NOT NULL,
    file_digest   BLOB    NOT NULL CHECK (length(file_digest) = 32),
    environment   TEXT    NOT NULL CHECK (environment IN ('simulator', 'sandbox', 'production')),
    base_url      TEXT    NOT NULL,
    options       TEXT    NOT NULL CHECK (json_valid(options)),
    columns       TEXT    NOT NULL CHECK (json_valid(columns)),
    delimiter     TEXT    NOT NULL CHECK (length(delimiter) = 1),
    on_unknown    TEXT    NOT NULL CHECK (on_unknown IN ('retry', 'hold')),
    adopted       INTEGER NOT NULL CHECK (adopted IN (0, 1)), -- whether file is a links file, whose links were made from another ledger
    allow_repeats INTEGER NOT NULL CHECK (allow_repeats IN (0, 1)),
    raw_cells     INTEGER NOT NULL CHECK (raw_cells IN (0, 1)),
    bom           INTEGER NOT NULL CHECK (bom IN (0, 1)),
    output        TEXT    NOT NULL,
    created_at    TEXT    NOT NULL,
    ran           INTEGER NOT NULL DEFAULT 0,  -- the place among all jobs by when its file was last run: the greatest was the last
    ran_at        TEXT    NOT NULL DEFAULT '', -- when the last run began; stopped is empty until it has ended
    ended_at      TEXT    NOT NULL DEFAULT '',
    stopped       TEXT    NOT NULL DEFAULT '' CHECK (stopped IN (
                      '', 'finished', 'interrupted', 'limit_reached', 'too_many_failures', 'all_rejected', 'gave_up',
                      'key_refused', 'wrong_address', 'ledger_failed')),
    stop_reason   TEXT    NOT NULL DEFAULT '',
    rejected_from INTEGER, -- how many attempts had made a session when a run last ended all_rejected
    refreshed_at  TEXT    NOT NULL DEFAULT '', -- when refresh last asked about its links
    purged_at     TEXT    NOT NULL DEFAULT '', -- when the customers' data was taken out
    salt          TEXT    NOT NULL DEFAULT '', -- of a purged job's digests
    written       INTEGER NOT NULL DEFAULT 0 CHECK (written IN (0, 1)), -- whether the file at output has all that is on record
    first_item    INTEGER NOT NULL DEFAULT 0,
    last_item     INTEGER NOT NULL DEFAULT -1,
    further_lines INTEGER NOT NULL DEFAULT 0, -- rows of the file beside those of its items: see line
    imported      INTEGER NOT NULL DEFAULT 0 CHECK (imported IN (0, 1))
) STRICT;

-- Which job last wrote a links file at a path.
CREATE TABLE links_file (
    path   TEXT    NOT NULL PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES job (id)
) STRICT, WITHOUT ROWID;

-- An invoice inside a job. amount counts 1/10,000 of the currency's major unit. request is the body of the POST, as JSON; cells are
-- the user's own, as a JSON array. An invalid item has no invoice and no request. Texts are empty where there is nothing to say;
-- times are UTC. In a purged job invoice_id, reference, customer_id and the customer in request are digests, made with the job's salt:
-- they still recognise who it was. The conditions use OR: SQLite makes a temporary table of an IN list of more than two values each time it looks.
CREATE TABLE item (
    id           INTEGER PRIMARY KEY,
    job_id       INTEGER NOT NULL REFERENCES job (id),
    row          INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (
                     state = 'pending' OR state = 'sending' OR state = 'unknown' OR state = 'created' OR
                     state = 'duplicate' OR state = 'failed' OR state = 'invalid' OR state = 'superseded'),
    invoice      BLOB             CHECK (invoice IS NULL OR length(invoice) = 16),
    invoice_id   TEXT    NOT NULL,
    reference    TEXT    NOT NULL, -- at Clink; empty while it is not known: of an adopted row without an invoice id, until it is sent
    currency     TEXT    NOT NULL,
    amount       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    unknown_ends INTEGER NOT NULL DEFAULT 0,
    suspect_ends INTEGER NOT NULL DEFAULT 0, -- unauthorized, redirected or misdirected, since the last that Clink answered
    session_id   TEXT    NOT NULL DEFAULT '',
    url          TEXT    NOT NULL DEFAULT '',
    expires_at   TEXT    NOT NULL DEFAULT '',
    created_at   TEXT    NOT NULL DEFAULT '',
    link_status  TEXT    NOT NULL DEFAULT '' CHECK (
                     link_status = '' OR link_status = 'open' OR link_status = 'processing' OR
                     link_status = 'paid' OR link_status = 'refunded' OR link_status = 'expired'),
    checked_at   TEXT    NOT NULL DEFAULT '', -- when Clink said so
    customer_id  TEXT    NOT NULL DEFAULT '', -- that Clink answered with
    given_up     INTEGER NOT NULL DEFAULT 0 CHECK (given_up IN (0, 1)), -- whether a person said to go on without its link
    error_code   TEXT    NOT NULL DEFAULT '',
    error        TEXT    NOT NULL DEFAULT '',
    request      TEXT    NOT NULL,
    cells        TEXT    NOT NULL,
    CHECK (state = 'invalid' OR invoice IS NOT NULL AND amount > 0 AND request <> ''),
    CHECK ((session_id <> '' AND created_at <> '') OR state NOT IN ('created', 'duplicate')),
    CHECK (state <> 'created' OR attempts > 0),
    CHECK (url = '' OR state IN ('created', 'duplicate')),
    CHECK (link_status = '' OR state IN ('created', 'duplicate') AND checked_at <> '')
) STRICT;

CREATE INDEX item_open ON item (job_id, state) WHERE state = 'pending' OR state = 'sending' OR state = 'unknown';
CREATE INDEX item_suspect ON item (job_id) WHERE suspect_ends > 0;
CREATE UNIQUE INDEX item_session ON item (session_id) WHERE state = 'created';
CREATE INDEX item_unsettled ON item (job_id) WHERE state = 'created' AND error_code = 'unsettled';
CREATE INDEX item_shared_session ON item (session_id) WHERE state = 'duplicate';
-- The links whose time has passed are counted after each run, and looked for when jobs are listed.
CREATE INDEX item_expiry ON item (job_id, expires_at) WHERE expires_at <> '';
-- The failed rows: a later job may have made their links.
CREATE INDEX item_failed ON item (job_id) WHERE state = 'failed';
-- The rows without a link that have a reason on record: a page of them is shown.
CREATE INDEX item_problem ON item (job_id, state) WHERE error <> '' AND state <> 'duplicate' AND state <> 'created';
-- The links that Clink has spoken of, by what it said: to count them, and to add up those that are paid.
CREATE INDEX item_link_status ON item (job_id, link_status) WHERE link_status <> '';

-- A further row of an invoice, of a file that has several rows of one. place is the item whose first row is the last one above this row:
-- with row, that is the file's order. item_id is the item of its invoice.
CREATE TABLE line (
    place   INTEGER NOT NULL,
    row     INTEGER NOT NULL,
    item_id INTEGER NOT NULL, -- of item; no foreign key, which would be looked up for each row
    cells   TEXT    NOT NULL,
    PRIMARY KEY (place, row)
) STRICT, WITHOUT ROWID;

-- One POST. It is on record, without an outcome, before the request leaves.
CREATE TABLE attempt (
    item_id    INTEGER NOT NULL REFERENCES item (id),
    number     INTEGER NOT NULL,
    sent_at    TEXT    NOT NULL,
    ended_at   TEXT    NOT NULL DEFAULT '',
    outcome    TEXT    NOT NULL DEFAULT '' CHECK (
                   outcome = '' OR outcome = 'created' OR outcome = 'mismatch' OR outcome = 'rejected' OR
                   outcome = 'unknown' OR outcome = 'not_sent' OR outcome = 'throttled' OR outcome = 'unauthorized' OR
                   outcome = 'redirected' OR outcome = 'misdirected'),
    status     INTEGER NOT NULL DEFAULT 0,
    code       TEXT    NOT NULL DEFAULT '',
    message    TEXT    NOT NULL DEFAULT '',
    session_id TEXT    NOT NULL DEFAULT '',
    replaced   TEXT    NOT NULL DEFAULT '', -- when its link, expired unpaid, was given up for a new one
    PRIMARY KEY (item_id, number),
    CHECK (replaced = '' OR outcome = 'created')
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX attempt_open ON attempt (item_id) WHERE outcome = '';
CREATE INDEX attempt_replaced ON attempt (session_id) WHERE replaced <> '';
-- The sessions that were never published.
CREATE INDEX attempt_unpublished ON attempt (session_id) WHERE session_id <> '' AND outcome <> 'created';

-- Which items are about an invoice, of imported jobs. It is filled at the end of an import, in its own order: an index on item,
-- filled row by row in the file's order, takes twice the time at a million rows.
CREATE TABLE invoice_item (
    invoice BLOB    NOT NULL CHECK (length(invoice) = 16),
    item_id INTEGER NOT NULL, -- of item; no foreign key, which would be looked up for each row
    PRIMARY KEY (invoice, item_id)
) STRICT, WITHOUT ROWID;

-- How many items of a job are in a state, and their amount: whole billions and the rest of 1/10,000 units apart, so
-- that no sum overflows. Kept in the transactions that move items, so that a million rows need no counting.
CREATE TABLE item_tally (
    job_id   INTEGER NOT NULL REFERENCES job (id),
    state    TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    items    INTEGER NOT NULL,
    billions INTEGER NOT NULL,
    rest     INTEGER NOT NULL,
    PRIMARY KEY (job_id, state, currency)
) STRICT, WITHOUT ROWID;

-- How many attempts of a job have which outcome; '' has not ended.
CREATE TABLE attempt_tally (
    job_id   INTEGER NOT NULL REFERENCES job (id),
    outcome  TEXT    NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (job_id, outcome)
) STRICT, WITHOUT ROWID;
