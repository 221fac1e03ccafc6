-- Events, runs and what a run remembers. P = range-partitioned by the time in an id.
CREATE TABLE assay.catalogs (
    project_id int PRIMARY KEY,
    version bigint NOT NULL
);
SELECT assay.distribute('assay.catalogs');
INSERT INTO assay.catalogs (project_id, version) VALUES (1, 1);

CREATE TABLE assay.functions (
    project_id int NOT NULL,
    app text NOT NULL,
    fn text NOT NULL,
    kind text NOT NULL,
    version text NOT NULL,
    triggers jsonb NOT NULL,
    options jsonb NOT NULL,
    registered_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, app, fn)
);
SELECT assay.distribute('assay.functions');

CREATE TABLE assay.event_keys (
    project_id int NOT NULL,
    key text NOT NULL,
    event_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, key)
);
SELECT assay.distribute('assay.event_keys');

CREATE TABLE assay.events (
    project_id int NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    data jsonb NOT NULL,
    sessions jsonb,
    ts timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    key text,
    source_run uuid,
    warning text,
    matched boolean NOT NULL,
    PRIMARY KEY (project_id, id)
) PARTITION BY RANGE (id);
SELECT assay.distribute('assay.events');
-- Indexes beside a primary key that is looked up by the hundred don't begin with the project: a plan
-- made on empty tables would take them for the key, and read all of the project for each row.
CREATE INDEX events_by_name ON assay.events (name, project_id, received_at);
CREATE INDEX events_unmatched ON assay.events (project_id, received_at) WHERE NOT matched;

CREATE TABLE assay.runs (
    project_id int NOT NULL,
    id uuid NOT NULL,
    app text NOT NULL,
    fn text NOT NULL,
    kind text NOT NULL,
    version text NOT NULL,
    event_id uuid NOT NULL,
    more_events uuid[],
    status text,
    parent_run uuid,
    parent_step uuid,
    parent_defer text,
    trace uuid NOT NULL,
    parent_span bigint,
    sessions jsonb,
    queued_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    output text,
    error text,
    warnings text,
    PRIMARY KEY (project_id, id)
) PARTITION BY RANGE (id);
SELECT assay.distribute('assay.runs');
CREATE INDEX runs_by_event ON assay.runs (event_id, project_id);
CREATE INDEX runs_by_parent ON assay.runs (project_id, parent_run) WHERE parent_run IS NOT NULL;
CREATE INDEX runs_by_trace ON assay.runs (project_id, trace) WHERE parent_run IS NOT NULL;

CREATE TABLE assay.run_sessions (
    project_id int NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    run_id uuid NOT NULL,
    PRIMARY KEY (project_id, key, value, run_id)
);
SELECT assay.distribute('assay.run_sessions');

CREATE TABLE assay.run_events (
    project_id int NOT NULL,
    run_id uuid NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (project_id, run_id, event_id)
);
SELECT assay.distribute('assay.run_events');
CREATE INDEX run_events_by_event ON assay.run_events (project_id, event_id);

-- Live runs only. state: 0 due or parked until due_at, 1 claimed.
CREATE TABLE assay.turns (
    project_id int NOT NULL,
    run_id uuid NOT NULL,
    app text NOT NULL,
    fn text NOT NULL,
    state smallint NOT NULL,
    due_at timestamptz NOT NULL,
    generation int NOT NULL,
    wakes int NOT NULL,
    losses int NOT NULL,
    worker_id uuid,
    started_at timestamptz,
    cancelled_at timestamptz,
    PRIMARY KEY (project_id, run_id)
);
SELECT assay.distribute('assay.turns');
CREATE INDEX turns_due ON assay.turns (project_id, app, due_at) WHERE state = 0;
CREATE INDEX turns_claimed ON assay.turns (project_id, worker_id) WHERE state = 1;

CREATE TABLE assay.journal (
    project_id int NOT NULL,
    run_id uuid NOT NULL,
    step uuid NOT NULL,
    seq int NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    idx int NOT NULL,
    input text,
    output text,
    error text,
    span bigint NOT NULL,
    attempts int NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    event_id uuid,
    child_run uuid,
    PRIMARY KEY (project_id, run_id, step)
) PARTITION BY RANGE (run_id);
SELECT assay.distribute('assay.journal');

-- Attempts that did not give a memo: failed ones, and open ones where a worker may die of them.
CREATE TABLE assay.attempts (
    project_id int NOT NULL,
    run_id uuid NOT NULL,
    step uuid NOT NULL,
    attempt int NOT NULL,
    name text NOT NULL,
    idx int NOT NULL,
    error text,
    worker_id uuid NOT NULL,
    span bigint NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    retry_at timestamptz,
    PRIMARY KEY (project_id, run_id, step, attempt)
) PARTITION BY RANGE (run_id);
SELECT assay.distribute('assay.attempts');

-- Open or just resolved; moved to the journal when the turn is claimed.
CREATE TABLE assay.waits (
    project_id int NOT NULL,
    run_id uuid NOT NULL,
    step uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    idx int NOT NULL,
    input text,
    span bigint NOT NULL,
    event_name text,
    shape bigint,
    hash bigint,
    condition text,
    since timestamptz NOT NULL,
    registered_at timestamptz NOT NULL,
    expires_at timestamptz,
    child_run uuid,
    resolved_at timestamptz,
    event_id uuid,
    output text,
    error text,
    PRIMARY KEY (project_id, run_id, step)
);
SELECT assay.distribute('assay.waits');
CREATE INDEX waits_open ON assay.waits (project_id, hash) WHERE resolved_at IS NULL AND kind = 'wait';

CREATE TABLE assay.wait_shapes (
    project_id int NOT NULL,
    event_name text NOT NULL,
    shape bigint NOT NULL,
    paths jsonb NOT NULL,
    PRIMARY KEY (project_id, event_name, shape)
);
SELECT assay.distribute('assay.wait_shapes');
