-- name: register
INSERT INTO assay.workers (id, project_id, app, source, fns, registration, host, pid, started_at,
    lease_until)
VALUES (%(id)s, %(project)s, %(app)s, %(source)s, %(fns)s, %(registration)s, %(host)s, %(pid)s,
    clock_timestamp(), clock_timestamp() + %(lease_s)s * interval '1 second')

-- name: heartbeat
UPDATE assay.workers SET lease_until = clock_timestamp() + %(lease_s)s * interval '1 second'
WHERE id = %(id)s AND NOT lost RETURNING clock_timestamp()

-- name: renew
UPDATE assay.workers SET lease_until = clock_timestamp() + %(lease_s)s * interval '1 second'
WHERE id = ANY (%(ids)s) AND NOT lost RETURNING id

-- name: leave_all
DELETE FROM assay.workers WHERE id = ANY (%(ids)s) AND NOT lost

-- name: expire
UPDATE assay.workers SET lease_until = least(%(until)s, clock_timestamp() - interval '1 millisecond')
WHERE id = ANY (%(ids)s)

-- name: leave
DELETE FROM assay.workers WHERE id = %(id)s

-- name: set_idle
UPDATE assay.workers SET idle = %(idle)s WHERE id = %(id)s

-- name: mark_lost
UPDATE assay.workers SET lost = true
WHERE project_id = %(project)s AND NOT lost AND lease_until < clock_timestamp()

-- name: lost
SELECT id, lease_until FROM assay.workers WHERE project_id = %(project)s AND lost

-- name: alive
SELECT id FROM assay.workers WHERE project_id = %(project)s AND NOT lost

-- name: forget
DELETE FROM assay.workers WHERE id = ANY (%(ids)s) AND lost

-- name: notify
-- A hint need not wait for the disk.
SELECT set_config('synchronous_commit', 'off', true), pg_notify(%(channel)s, '')

-- name: live
SELECT id, app, host, pid, started_at, lease_until, idle FROM assay.workers
WHERE project_id = %(project)s AND NOT lost ORDER BY started_at
