-- +goose Up

-- A cinder-backup service is a storage node that reaches a store for backups.
ALTER TABLE services
    ADD COLUMN backup_driver    text NOT NULL DEFAULT '', -- of the store: posix, s3
    ADD COLUMN backup_store     text NOT NULL DEFAULT '', -- the store's own id; nodes that share one say the same
    ADD COLUMN backup_container text NOT NULL DEFAULT ''; -- where backups go that name no container

-- A backup outlives its volume and its snapshot, and may be another cloud's.
CREATE TABLE backups (
    id                uuid PRIMARY KEY,
    volume_id         uuid        NOT NULL,
    project_id        text        NOT NULL,
    user_id           text        NOT NULL,
    name              text,
    description       text,
    size_gib          integer     NOT NULL CHECK (size_gib > 0), -- of the volume
    status            text        NOT NULL,
    fail_reason       text,
    generation        bigint      NOT NULL DEFAULT 1, -- raised by each transition; fences node operations
    availability_zone text,
    host              text,       -- the node that has last worked on it
    service           text,       -- the driver; NULL until a node was asked to make it
    store             text,       -- the store it lies in, likewise
    container         text,
    data_id           uuid,       -- of an imported one: the id that it lies there under, if not its own
    parent_id         uuid,       -- the backup that an incremental one adds to
    needs             uuid[]      NOT NULL DEFAULT '{}', -- of an imported one: all those that it adds to, as the store says
    snapshot_id       uuid,       -- what it was made of, if not of the volume itself
    restore_volume_id uuid,       -- the volume that it was restored to last
    data_timestamp    timestamptz,
    object_count      integer     NOT NULL DEFAULT 0,
    service_metadata  text,
    metadata          jsonb       NOT NULL DEFAULT '{}',
    origin            jsonb       NOT NULL DEFAULT '{}', -- what the volume was beside its bytes
    encryption_key_id uuid,
    imported          boolean     NOT NULL DEFAULT false, -- written by an import
    request_id        text        NOT NULL DEFAULT '',
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz,
    deleted_at        timestamptz
);
CREATE INDEX backups_live_project ON backups (project_id, created_at DESC, id DESC) WHERE deleted_at IS NULL AND user_id >= ''; -- see volumes_live_project
CREATE INDEX backups_live_created ON backups (created_at DESC, id DESC) WHERE deleted_at IS NULL AND size_gib >= 0; -- see db.EveryBackup
CREATE INDEX backups_live_volume  ON backups (volume_id, data_timestamp DESC) WHERE deleted_at IS NULL AND volume_id IS NOT NULL;
CREATE INDEX backups_live_parent  ON backups (parent_id) WHERE deleted_at IS NULL AND parent_id IS NOT NULL;
CREATE INDEX backups_live_data    ON backups (data_id) WHERE deleted_at IS NULL AND data_id IS NOT NULL;
CREATE INDEX backups_live_needs   ON backups USING gin (needs) WHERE deleted_at IS NULL AND needs <> '{}';
CREATE INDEX backups_moving       ON backups (updated_at)
    WHERE deleted_at IS NULL AND status IN ('creating', 'deleting', 'restoring');
CREATE INDEX backups_failed       ON backups (updated_at) WHERE deleted_at IS NULL AND status = 'error_deleting';

-- Every status a backup ever had, with the reason.
CREATE TABLE backup_history (
    backup_id  uuid        NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    generation bigint      NOT NULL,
    status     text        NOT NULL,
    reason     text        NOT NULL,
    PRIMARY KEY (backup_id, generation)
);

-- The backup that a new volume is to be made of. While it is, the backup stays.
ALTER TABLE volumes ADD COLUMN backup_id uuid;
CREATE INDEX volumes_copying_backup ON volumes (backup_id)
    WHERE deleted_at IS NULL AND backup_id IS NOT NULL AND status = 'creating';
CREATE INDEX volumes_backing_up ON volumes (updated_at)
    WHERE deleted_at IS NULL AND status IN ('backing-up', 'restoring-backup');
CREATE INDEX snapshots_backing_up ON snapshots (updated_at) WHERE deleted_at IS NULL AND status = 'backing-up';
CREATE INDEX volumes_error_restoring ON volumes (updated_at) WHERE deleted_at IS NULL AND status = 'error_restoring';

-- +goose Down
DROP INDEX volumes_error_restoring, snapshots_backing_up, volumes_backing_up, volumes_copying_backup;
ALTER TABLE volumes DROP COLUMN backup_id;
DROP TABLE backup_history, backups;
ALTER TABLE services DROP COLUMN backup_driver, DROP COLUMN backup_store, DROP COLUMN backup_container;
