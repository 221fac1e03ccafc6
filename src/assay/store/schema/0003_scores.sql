-- Promises, scores and user spans.
CREATE TABLE assay.defers (
    project_id int NOT NULL,
    run_id uuid NOT NULL,
    defer_id text NOT NULL,
    scorer text NOT NULL,
    names text[] NOT NULL,
    payload text,
    experiment text,
    sessions jsonb,
    state text NOT NULL,
    reason text,
    child_run uuid,
    promised_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, run_id, defer_id)
);
SELECT assay.distribute('assay.defers');

CREATE TABLE assay.outcomes (
    project_id int NOT NULL,
    run_id uuid NOT NULL,
    defer_id text NOT NULL,
    name text NOT NULL,
    scorer text NOT NULL,
    state text NOT NULL,
    reason text,
    score_id uuid,
    promised_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, run_id, defer_id, name)
);
SELECT assay.distribute('assay.outcomes');
CREATE INDEX outcomes_by_name ON assay.outcomes (project_id, name, state);

CREATE TABLE assay.outcome_changes (
    project_id int NOT NULL,
    run_id uuid NOT NULL,
    defer_id text NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    changed_at timestamptz NOT NULL,
    reason text,
    score_id uuid,
    PRIMARY KEY (project_id, run_id, defer_id, name, state, changed_at)
);
SELECT assay.distribute('assay.outcome_changes');

CREATE TABLE assay.scores (
    project_id int NOT NULL,
    id uuid NOT NULL,
    subject text NOT NULL,
    run_id uuid NOT NULL,
    step text NOT NULL DEFAULT '',
    idx int NOT NULL,
    attempt int,
    name text NOT NULL,
    value double precision NOT NULL,
    is_bool boolean NOT NULL,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    source text NOT NULL,
    source_run uuid,
    author text,
    rationale text,
    PRIMARY KEY (project_id, id)
) PARTITION BY RANGE (id);
SELECT assay.distribute('assay.scores');
CREATE INDEX scores_by_run ON assay.scores (project_id, run_id);
CREATE INDEX scores_by_name ON assay.scores (project_id, name, id);

-- The greatest (at, id) of each subject and name, whatever the attempt or order of arrival.
CREATE TABLE assay.scores_latest (
    project_id int NOT NULL,
    run_id uuid NOT NULL,
    subject text NOT NULL,
    step text NOT NULL,
    idx int NOT NULL,
    name text NOT NULL,
    score_id uuid NOT NULL,
    value double precision NOT NULL,
    is_bool boolean NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (project_id, run_id, subject, step, idx, name)
);
SELECT assay.distribute('assay.scores_latest');
CREATE INDEX scores_latest_by_name ON assay.scores_latest (project_id, name, run_id);

CREATE TABLE assay.user_spans (
    project_id int NOT NULL,
    day date NOT NULL,
    trace uuid NOT NULL,
    span bigint NOT NULL,
    parent bigint,
    run_id uuid NOT NULL,
    step uuid,
    attempt int,
    name text NOT NULL,
    kind text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    status text NOT NULL,
    message text,
    attributes text NOT NULL,
    events text NOT NULL,
    PRIMARY KEY (project_id, day, trace, span)
) PARTITION BY RANGE (day);
SELECT assay.distribute('assay.user_spans');
CREATE INDEX user_spans_by_run ON assay.user_spans (project_id, run_id);
