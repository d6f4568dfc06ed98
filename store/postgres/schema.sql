-- The ledger itself, in one row. id tells it from every other ledger. state says whether it may be sent from: 'failed_over' until a person has
-- said how to go on after the database went back, 'moving' and 'moved' while it is transferred to the ledger other, 'filling' and 'filled'
-- while it is transferred from there. transfer is that transfer's number; origin is the number of the one that it was filled by once, and
-- origin_id the ledger that it was filled from.
CREATE TABLE {ledger} (
    one        boolean     PRIMARY KEY DEFAULT TRUE CHECK (one),
    version    integer     NOT NULL,
    id         text        NOT NULL,
    state      text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'failed_over', 'moving', 'moved', 'filling', 'filled')),
    other      text        NOT NULL DEFAULT '',
    other_id   text        NOT NULL DEFAULT '',
    transfer   text        NOT NULL DEFAULT '',
    origin     text        NOT NULL DEFAULT '',
    origin_id  text        NOT NULL DEFAULT '',
    system_id  text        NOT NULL, -- of the server that the last sender saw, and its timeline
    timeline   text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A process that sends, or did. Its id is the fencing token. It renews its lease until ended_at or fenced_at: never once it is fenced.
CREATE TABLE {sender} (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    doing       text        NOT NULL,
    host        text        NOT NULL,
    process     integer     NOT NULL,
    began_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease       interval    NOT NULL,
    recover     interval    NOT NULL, -- how long after it was fenced what it had begun may still be on its way
    lease_until timestamptz NOT NULL,
    renewals    bigint      NOT NULL DEFAULT 0,
    fenced_at   timestamptz,
    ended_at    timestamptz
);
CREATE INDEX sender_live ON {sender} (id) WHERE fenced_at IS NULL AND ended_at IS NULL;

-- A job: one file's content, for one address, read one way. Its items have the ids from id * 2^32 on. An import takes several transactions;
-- until the last one imported is FALSE, and nobody but its importer sees the job. A time that has not come is NULL.
CREATE TABLE {job} (
    id            bigint      PRIMARY KEY,
    identity      bytea       NOT NULL CHECK (length(identity) = 32),
    file          text        NOT NULL,
    file_digest   bytea       NOT NULL CHECK (length(file_digest) = 32),
    environment   text        NOT NULL CHECK (environment IN ('simulator', 'sandbox', 'production')),
    base_url      text        NOT NULL,
    options       text        NOT NULL,
    columns       text        NOT NULL, -- a JSON array
    delimiter     text        NOT NULL CHECK (length(delimiter) = 1),
    on_unknown    text        NOT NULL CHECK (on_unknown IN ('retry', 'hold')),
    adopted       boolean     NOT NULL, -- whether file is a links file, whose links were made from another ledger
    allow_repeats boolean     NOT NULL,
    raw_cells     boolean     NOT NULL,
    bom           boolean     NOT NULL,
    output        text        NOT NULL,
    output_host   text        NOT NULL, -- the host that output is a path on
    created_at    timestamptz NOT NULL,
    ran           bigint      NOT NULL DEFAULT 0, -- the place among all jobs by when its file was last run: the greatest was the last
    ran_at        timestamptz, -- when the last run began; stopped is empty until it has ended
    ended_at      timestamptz,
    stopped       text        NOT NULL DEFAULT '' CHECK (stopped IN (
                      '', 'finished', 'interrupted', 'limit_reached', 'too_many_failures', 'all_rejected', 'gave_up',
                      'key_refused', 'wrong_address', 'ledger_failed')),
    stop_reason   text        NOT NULL DEFAULT '',
    rejected_from bigint, -- how many attempts had made a session when a run last ended all_rejected
    refreshed_at  timestamptz, -- when refresh last asked about its links
    purged_at     timestamptz, -- when the customers' data was taken out
    salt          text        NOT NULL DEFAULT '', -- of a purged job's digests
    written       boolean     NOT NULL DEFAULT FALSE, -- whether the file at output has all that is on record
    imported      boolean     NOT NULL DEFAULT FALSE,
    further_lines bigint      NOT NULL DEFAULT 0, -- rows of the file beside those of its items: see line
    importer      bigint      REFERENCES {sender} (id) -- who imports it; a half import is taken out once that sender is fenced or has ended
);
-- A file may be imported by two senders at once: the first to come to its end has the identity.
CREATE UNIQUE INDEX job_identity ON {job} (identity) WHERE imported;
CREATE INDEX job_half ON {job} (importer) WHERE NOT imported;

-- Which sender has which job: one sender a job.
CREATE TABLE {seat} (
    job_id    bigint PRIMARY KEY REFERENCES {job} (id),
    sender_id bigint NOT NULL REFERENCES {sender} (id)
);
CREATE INDEX seat_sender ON {seat} (sender_id);

-- Which job last wrote a links file at a path of a host.
CREATE TABLE {links_file} (
    host   text   NOT NULL,
    path   text   NOT NULL,
    job_id bigint NOT NULL REFERENCES {job} (id),
    PRIMARY KEY (host, path)
);

-- An invoice inside a job. amount counts 1/10,000 of the currency's major unit. request is the body of the POST, as JSON; cells are the
-- user's own, as a JSON array. An invalid item has no invoice and no request. Texts are empty where there is nothing to say. In a purged
-- job invoice_id, reference, customer_id and the customer in request are digests, made with the job's salt: they still recognise who it
-- was. job_id has no foreign key, which would be looked up for each row: only the job's importer makes items.
CREATE TABLE {item} (
    id           bigint      PRIMARY KEY,
    job_id       bigint      NOT NULL,
    row          bigint      NOT NULL,
    state        text        NOT NULL CHECK (state IN (
                     'pending', 'sending', 'unknown', 'created', 'duplicate', 'failed', 'invalid', 'superseded')),
    invoice      bytea       CHECK (length(invoice) = 16),
    invoice_id   text        NOT NULL,
    reference    text        NOT NULL, -- at Clink; empty while it is not known: of an adopted row without an invoice id, until it is sent
    currency     text        NOT NULL,
    amount       bigint      NOT NULL,
    attempts     integer     NOT NULL DEFAULT 0,
    unknown_ends integer     NOT NULL DEFAULT 0,
    suspect_ends integer     NOT NULL DEFAULT 0, -- unauthorized, redirected or misdirected, since the last that Clink answered
    session_id   text        NOT NULL DEFAULT '',
    url          text        NOT NULL DEFAULT '',
    expires_at   timestamptz,
    created_at   timestamptz,
    link_status  text        NOT NULL DEFAULT '' CHECK (link_status IN ('', 'open', 'processing', 'paid', 'refunded', 'expired')),
    checked_at   timestamptz, -- when Clink said so
    customer_id  text        NOT NULL DEFAULT '', -- that Clink answered with
    given_up     boolean     NOT NULL DEFAULT FALSE, -- whether a person said to go on without its link
    error_code   text        NOT NULL DEFAULT '',
    error        text        NOT NULL DEFAULT '',
    request      text        NOT NULL,
    cells        text        NOT NULL,
    CHECK (job_id = id >> 32),
    CHECK (state = 'invalid' OR invoice IS NOT NULL AND amount > 0 AND request <> ''),
    CHECK ((session_id <> '' AND created_at IS NOT NULL) OR state NOT IN ('created', 'duplicate')),
    CHECK (state <> 'created' OR attempts > 0),
    CHECK (url = '' OR state IN ('created', 'duplicate')),
    CHECK (link_status = '' OR state IN ('created', 'duplicate') AND checked_at IS NOT NULL)
) WITH (fillfactor = 80); -- an item is changed twice where all goes well: the new versions find room beside the old ones

CREATE INDEX item_invoice ON {item} (invoice);
CREATE INDEX item_open ON {item} (job_id, id) WHERE state IN ('pending', 'sending', 'unknown');
-- The rows that Clink may have made a session for and that have no link: few, and counted after each run.
CREATE INDEX item_doubt ON {item} (job_id) WHERE unknown_ends > 0 AND state IN ('pending', 'sending', 'unknown', 'failed');
-- The open rows that wait for a person, or did when a run looked at them last.
CREATE INDEX item_waiting ON {item} (job_id, id) WHERE error_code IN ('held', 'unsettled') AND state IN ('pending', 'sending', 'unknown');
CREATE INDEX item_suspect ON {item} (job_id, id) WHERE suspect_ends > 0;
CREATE UNIQUE INDEX item_session ON {item} (session_id) WHERE state = 'created';
CREATE INDEX item_unsettled ON {item} (job_id) WHERE state = 'created' AND error_code = 'unsettled';
CREATE INDEX item_shared_session ON {item} (session_id) WHERE state = 'duplicate';
-- The links whose time has passed are counted after each run, and looked for when jobs are listed.
CREATE INDEX item_expiry ON {item} (job_id, expires_at) WHERE expires_at IS NOT NULL;
-- The failed rows: a later job may have made their links.
CREATE INDEX item_failed ON {item} (job_id) WHERE state = 'failed';
-- The rows without a link that have a reason on record: a page of them is shown.
CREATE INDEX item_problem ON {item} (job_id, state, id) WHERE error <> '' AND state NOT IN ('duplicate', 'created');
-- The links that Clink has spoken of, by what it said: to count them, and to add up those that are paid.
CREATE INDEX item_link_status ON {item} (job_id, link_status) WHERE link_status <> '';

-- A further row of an invoice, of a file that has several rows of one. place is the item whose first row is the last one above this row:
-- with row, that is the file's order. item_id is the item of its invoice. There are no foreign keys, which would be looked up for each row.
CREATE TABLE {line} (
    place   bigint NOT NULL,
    row     bigint NOT NULL,
    item_id bigint NOT NULL,
    cells   text   NOT NULL,
    PRIMARY KEY (place, row),
    CHECK (place >> 32 = item_id >> 32)
);

-- One POST. It is on record, without an outcome, before the request leaves. sender_id is who began it; 0: nobody here, it was adopted.
CREATE TABLE {attempt} (
    item_id    bigint      NOT NULL,
    number     integer     NOT NULL,
    sender_id  bigint      NOT NULL,
    sent_at    timestamptz NOT NULL,
    ended_at   timestamptz,
    outcome    text        NOT NULL DEFAULT '' CHECK (outcome IN (
                   '', 'created', 'mismatch', 'rejected', 'unknown', 'not_sent', 'throttled', 'unauthorized', 'redirected', 'misdirected')),
    status     integer     NOT NULL DEFAULT 0,
    code       text        NOT NULL DEFAULT '',
    message    text        NOT NULL DEFAULT '',
    session_id text        NOT NULL DEFAULT '',
    replaced   timestamptz, -- when its link, expired unpaid, was given up for a new one
    PRIMARY KEY (item_id, number),
    CHECK (replaced IS NULL OR outcome = 'created')
) WITH (fillfactor = 80);

CREATE UNIQUE INDEX attempt_open ON {attempt} (item_id) WHERE outcome = '';
CREATE INDEX attempt_begun ON {attempt} (sender_id) WHERE outcome = '';
CREATE INDEX attempt_replaced ON {attempt} (session_id) WHERE replaced IS NOT NULL;
-- The sessions that were never published.
CREATE INDEX attempt_unpublished ON {attempt} (session_id) WHERE session_id <> '' AND outcome <> 'created';

-- How many items of a job are in a state, and their amount in 1/10,000 units. Kept in the transactions that move items, so that a million
-- rows need no counting.
CREATE TABLE {item_tally} (
    job_id   bigint  NOT NULL,
    state    text    NOT NULL,
    currency text    NOT NULL,
    items    bigint  NOT NULL,
    amount   numeric NOT NULL,
    PRIMARY KEY (job_id, state, currency)
) WITH (fillfactor = 50);

-- How many attempts of a job have which outcome; '' has not ended.
CREATE TABLE {attempt_tally} (
    job_id   bigint NOT NULL,
    outcome  text   NOT NULL,
    attempts bigint NOT NULL,
    PRIMARY KEY (job_id, outcome)
) WITH (fillfactor = 50);

-- The pace that all senders at an address share. reduced is the rate at the end of the last pause, from which it climbs back.
CREATE TABLE {pace} (
    environment  text             NOT NULL,
    base_url     text             NOT NULL,
    per_second   double precision NOT NULL,
    next_at      timestamptz      NOT NULL DEFAULT clock_timestamp(), -- when the rate lets the next request leave
    reduced      double precision NOT NULL DEFAULT 0,
    since        timestamptz, -- the end of the last pause
    paused_from  timestamptz,
    paused_until timestamptz,
    streak       integer          NOT NULL DEFAULT 0, -- pauses in a row for which Clink named no time
    PRIMARY KEY (environment, base_url)
);
