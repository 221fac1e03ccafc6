-- Control tables: never distributed, without a project in their keys (or of all projects at once).
CREATE TABLE assay.projects (
    id int PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO assay.projects (id, name) VALUES (1, 'default');

CREATE TABLE assay.keys (
    id uuid PRIMARY KEY,
    project_id int NOT NULL REFERENCES assay.projects (id),
    name text NOT NULL,
    hash bytea NOT NULL UNIQUE,
    prefix text NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

-- Every process that claims turns or takes in events: its lease is one row.
CREATE TABLE assay.workers (
    id uuid PRIMARY KEY,
    project_id int NOT NULL,
    app text,
    host text NOT NULL,
    pid int NOT NULL,
    started_at timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    idle boolean NOT NULL DEFAULT false,
    lost boolean NOT NULL DEFAULT false
);
CREATE INDEX workers_live ON assay.workers (project_id, lease_until) WHERE NOT lost;
