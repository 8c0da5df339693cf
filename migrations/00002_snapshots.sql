-- +goose Up

-- A snapshot lies in the pool of its volume.
CREATE TABLE snapshots (
    id                uuid PRIMARY KEY,
    volume_id         uuid        NOT NULL REFERENCES volumes (id),
    project_id        text        NOT NULL,
    user_id           text        NOT NULL,
    name              text,
    description       text,
    size_gib          integer     NOT NULL CHECK (size_gib > 0), -- of the volume when it was taken
    quota_gib         integer     NOT NULL CHECK (quota_gib >= 0), -- what it counts in gigabytes
    status            text        NOT NULL,
    progress          text        NOT NULL DEFAULT '0%',
    generation        bigint      NOT NULL DEFAULT 1, -- raised by each transition; fences node operations
    volume_type_id    uuid        NOT NULL REFERENCES volume_types (id),
    pool_id           uuid        REFERENCES pools (id),
    claimed_bytes     bigint      NOT NULL DEFAULT 0, -- what it counts in pools.allocated_bytes; 0 until it was claimed
    metadata          jsonb       NOT NULL DEFAULT '{}',
    bootable          boolean     NOT NULL DEFAULT false, -- both as the volume had them
    image_metadata    jsonb       NOT NULL DEFAULT '{}',
    group_snapshot_id uuid,
    encryption_key_id uuid,
    provider_id       text,
    consumes_quota    boolean     NOT NULL DEFAULT true,
    request_id        text        NOT NULL DEFAULT '',
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz,
    deleted_at        timestamptz
);
CREATE INDEX snapshots_live_project ON snapshots (project_id, created_at DESC, id DESC) WHERE deleted_at IS NULL AND user_id >= ''; -- see volumes_live_project
CREATE INDEX snapshots_live_created ON snapshots (created_at DESC, id DESC) WHERE deleted_at IS NULL AND size_gib >= 0; -- see db.EverySnapshot
CREATE INDEX snapshots_live_volume  ON snapshots (volume_id, created_at DESC) WHERE deleted_at IS NULL AND volume_id IS NOT NULL;
CREATE INDEX snapshots_live_pool    ON snapshots (pool_id) WHERE deleted_at IS NULL AND pool_id IS NOT NULL;
CREATE INDEX snapshots_moving       ON snapshots (updated_at)
    WHERE deleted_at IS NULL AND status IN ('creating', 'deleting', 'restoring');

-- Every status a snapshot ever had, with the reason.
CREATE TABLE snapshot_history (
    snapshot_id uuid        NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    generation  bigint      NOT NULL,
    status      text        NOT NULL,
    reason      text        NOT NULL,
    PRIMARY KEY (snapshot_id, generation)
);

-- Copies that are being made of a snapshot keep it.
CREATE INDEX volumes_copying_snapshot ON volumes (snapshot_id)
    WHERE deleted_at IS NULL AND snapshot_id IS NOT NULL AND status IN ('creating', 'downloading');
CREATE INDEX volumes_reverting ON volumes (updated_at) WHERE deleted_at IS NULL AND status = 'reverting';

-- What a silent node interrupted is looked for among these.
CREATE INDEX volumes_failed ON volumes (updated_at) WHERE deleted_at IS NULL AND status IN ('error', 'error_deleting');
CREATE INDEX snapshots_failed ON snapshots (updated_at) WHERE deleted_at IS NULL AND status = 'error_deleting';

-- +goose Down
DROP INDEX volumes_failed, volumes_reverting, volumes_copying_snapshot;
DROP TABLE snapshot_history, snapshots;
