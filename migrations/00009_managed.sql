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

-- +goose Down
DROP INDEX snapshots_managing, volumes_managing;
DROP TABLE managed;
