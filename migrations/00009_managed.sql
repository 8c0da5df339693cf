-- +goose Up

-- Volumes and snapshots that Clinker did not make, or has let go: what bears their
-- name in a pool is never taken away but by the wish of their owner.
CREATE TABLE managed (
    resource_id uuid PRIMARY KEY, -- of a volume or snapshot
    pool_id     uuid REFERENCES pools (id) ON DELETE SET NULL,
    reference   text NOT NULL,    -- the name it had in its pool, "" for what was ours always
    state       text NOT NULL CHECK (state IN ('managing', 'managed', 'released'))
);

-- Those on their way, and those that a silent node interrupted.
CREATE INDEX volumes_managing ON volumes (updated_at)
    WHERE deleted_at IS NULL AND status IN ('managing', 'unmanaging', 'error_managing', 'error_unmanaging');
CREATE INDEX snapshots_managing ON snapshots (updated_at)
    WHERE deleted_at IS NULL AND status IN ('managing', 'unmanaging', 'error');

-- A number by which clients that know services by numbers can name one; what its
-- process logs; and what it has been asked to log, until it has heard of it.
ALTER TABLE services ADD COLUMN number bigserial NOT NULL, ADD COLUMN log_levels jsonb NOT NULL DEFAULT '{}';
CREATE TABLE log_requests (
    id         bigserial PRIMARY KEY,
    service_id uuid        NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    prefix     text        NOT NULL,
    level      text        NOT NULL,
    at         timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE log_requests;
ALTER TABLE services DROP COLUMN number, DROP COLUMN log_levels;
DROP INDEX snapshots_managing, volumes_managing;
DROP TABLE managed;
