-- What the file says of an item never changes, and what became of it is short: apart, a link is one new row at the end of a
-- table instead of an old row that outgrows its page. The names item and attempt stay, as views that put it together.
ALTER TABLE item RENAME TO old_item;
ALTER TABLE attempt RENAME TO old_attempt;

-- What the file says of an item. amount counts 1/10,000 of the currency's major unit. request is the body of the POST, as
-- JSON; cells are the user's own, as a JSON array. An invalid row has no invoice and no request.
CREATE TABLE input (
    id         INTEGER PRIMARY KEY,
    job_id     INTEGER NOT NULL REFERENCES job (id),
    row        INTEGER NOT NULL,
    invoice    BLOB             CHECK (invoice IS NULL OR length(invoice) = 16),
    invoice_id TEXT    NOT NULL,
    reference  TEXT    NOT NULL,
    currency   TEXT    NOT NULL,
    amount     INTEGER NOT NULL,
    request    TEXT    NOT NULL,
    cells      TEXT    NOT NULL,
    CHECK (invoice IS NULL OR amount > 0 AND request <> '')
) STRICT;

-- The items that nothing has been done with: they are pending. An item leaves this table for good with its first attempt, or
-- with the first thing there is to say of it.
CREATE TABLE fresh (
    item_id INTEGER PRIMARY KEY
) STRICT;

-- The attempts that are on their way. Each is on record here before its request leaves, and goes when it ends: an item is
-- sending while it is here. Who opens the ledger next makes these items unknown.
CREATE TABLE intent (
    item_id INTEGER PRIMARY KEY,
    number  INTEGER NOT NULL,
    sent_at TEXT    NOT NULL
) STRICT;

-- Where an item stands that something has been done with. Texts are empty where there is nothing to say; times are UTC.
CREATE TABLE standing (
    item_id      INTEGER PRIMARY KEY REFERENCES input (id),
    state        TEXT    NOT NULL CHECK (
                     state = 'pending' OR state = 'unknown' OR state = 'created' OR state = 'duplicate' OR
                     state = 'failed' OR state = 'invalid' OR state = 'superseded'),
    attempts     INTEGER NOT NULL DEFAULT 0, -- that have ended
    unknown_ends INTEGER NOT NULL DEFAULT 0,
    session_id   TEXT    NOT NULL DEFAULT '',
    url          TEXT    NOT NULL DEFAULT '',
    expires_at   TEXT    NOT NULL DEFAULT '',
    sent_at      TEXT    NOT NULL DEFAULT '', -- of the attempt, the last one, that made the link
    created_at   TEXT    NOT NULL DEFAULT '',
    link_status  TEXT    NOT NULL DEFAULT '' CHECK (
                     link_status = '' OR link_status = 'open' OR link_status = 'processing' OR
                     link_status = 'paid' OR link_status = 'expired'),
    checked_at   TEXT    NOT NULL DEFAULT '', -- when Clink said so
    error_code   TEXT    NOT NULL DEFAULT '',
    error        TEXT    NOT NULL DEFAULT '',
    CHECK ((session_id <> '' AND created_at <> '') OR state NOT IN ('created', 'duplicate')),
    CHECK (state <> 'created' OR sent_at <> '' AND attempts > 0),
    CHECK (url = '' OR state IN ('created', 'duplicate')),
    CHECK (link_status = '' OR state IN ('created', 'duplicate') AND checked_at <> '')
) STRICT;

-- The attempts that have ended, but for those that made their item's present link: these are in its row of standing.
CREATE TABLE past_attempt (
    item_id    INTEGER NOT NULL REFERENCES input (id),
    number     INTEGER NOT NULL,
    sent_at    TEXT    NOT NULL,
    ended_at   TEXT    NOT NULL,
    outcome    TEXT    NOT NULL CHECK (
                   outcome = 'created' OR outcome = 'mismatch' OR outcome = 'rejected' OR outcome = 'unknown' OR
                   outcome = 'not_sent' OR outcome = 'throttled' OR outcome = 'unauthorized' OR outcome = 'redirected' OR
                   outcome = 'misdirected'),
    status     INTEGER NOT NULL,
    code       TEXT    NOT NULL,
    message    TEXT    NOT NULL,
    session_id TEXT    NOT NULL,
    replaced   TEXT    NOT NULL DEFAULT '', -- when its link, expired unpaid, was given up for a new one
    PRIMARY KEY (item_id, number),
    CHECK (replaced = '' OR outcome = 'created')
) STRICT, WITHOUT ROWID;

INSERT INTO input (id, job_id, row, invoice, invoice_id, reference, currency, amount, request, cells)
SELECT id, job_id, row, invoice, invoice_id, reference, currency, amount, request, cells
FROM old_item
ORDER BY id;
INSERT INTO intent (item_id, number, sent_at)
SELECT item_id, number, sent_at
FROM old_attempt
WHERE outcome = '';
INSERT INTO standing (
    item_id, state, attempts, unknown_ends, session_id, url, expires_at, sent_at, created_at, link_status, checked_at,
    error_code, error
)
SELECT
    old_item.id, state, attempts, unknown_ends, old_item.session_id, url, expires_at,
    iif(state = 'created', coalesce(old_attempt.sent_at, created_at), ''), created_at, link_status, checked_at, error_code, error
FROM old_item
LEFT JOIN old_attempt ON old_attempt.item_id = old_item.id
    AND old_attempt.number = old_item.attempts
WHERE state <> 'pending'
    OR attempts > 0
    OR unknown_ends > 0
    OR error_code <> ''
    OR error <> ''
ORDER BY old_item.id;
INSERT INTO fresh (item_id)
SELECT id
FROM old_item
WHERE NOT EXISTS (SELECT 1 FROM standing WHERE item_id = old_item.id)
    AND NOT EXISTS (SELECT 1 FROM intent WHERE item_id = old_item.id)
ORDER BY id;
INSERT INTO past_attempt (item_id, number, sent_at, ended_at, outcome, status, code, message, session_id, replaced)
SELECT item_id, number, sent_at, ended_at, outcome, status, code, message, session_id, replaced
FROM old_attempt
WHERE outcome <> ''
    AND NOT (
        outcome = 'created'
        AND EXISTS (SELECT 1 FROM standing WHERE item_id = old_attempt.item_id AND state = 'created' AND attempts = number)
    )
ORDER BY item_id, number;
DROP TABLE old_attempt;
DROP TABLE old_item;

CREATE INDEX standing_open ON standing (state) WHERE state = 'pending' OR state = 'unknown';
CREATE UNIQUE INDEX standing_session ON standing (session_id) WHERE state = 'created';
CREATE INDEX standing_shared ON standing (session_id) WHERE state = 'duplicate';
-- What show lists: the rows without a link that have a reason on record.
CREATE INDEX standing_problem ON standing (state) WHERE error <> '' AND state <> 'duplicate';
CREATE INDEX past_attempt_replaced ON past_attempt (session_id) WHERE replaced <> '';

CREATE VIEW item AS
SELECT
    input.id,
    input.job_id,
    input.row,
    coalesce(standing.state, 'pending') AS state, -- sending is an attempt without an outcome
    input.invoice,
    input.invoice_id,
    input.reference,
    input.currency,
    input.amount,
    input.request,
    input.cells,
    coalesce(standing.attempts, 0) AS attempts,
    coalesce(standing.unknown_ends, 0) AS unknown_ends,
    coalesce(standing.session_id, '') AS session_id,
    coalesce(standing.url, '') AS url,
    coalesce(standing.expires_at, '') AS expires_at,
    coalesce(standing.created_at, '') AS created_at,
    coalesce(standing.link_status, '') AS link_status,
    coalesce(standing.checked_at, '') AS checked_at,
    coalesce(standing.error_code, '') AS error_code,
    coalesce(standing.error, '') AS error
FROM input
LEFT JOIN standing ON standing.item_id = input.id;

-- One POST each; without an outcome it is on its way.
CREATE VIEW attempt AS
SELECT item_id, number, sent_at, ended_at, outcome, status, code, message, session_id, replaced
FROM past_attempt
UNION ALL
SELECT item_id, attempts, sent_at, created_at, 'created', 200, error_code, error, session_id, ''
FROM standing
WHERE state = 'created'
UNION ALL
SELECT item_id, number, sent_at, '', '', 0, '', '', '', ''
FROM intent;
