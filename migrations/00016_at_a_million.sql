-- +goose Up

-- What is gone stays until it is purged, and until then its volume does too: the
-- foreign keys look for it each time that a volume goes for good. So those that are
-- gone must be in these indexes as well.
CREATE INDEX attachments_volume ON attachments (volume_id, deleted_at);
DROP INDEX attachments_live_volume;
CREATE INDEX snapshots_volume ON snapshots (volume_id, deleted_at);
DROP INDEX snapshots_live_volume;
CREATE INDEX transfers_volume ON transfers (volume_id, deleted_at);
DROP INDEX transfers_live_volume;
CREATE INDEX group_snapshots_group ON group_snapshots (group_id, deleted_at);
DROP INDEX group_snapshots_live_group;

-- Those that a request may have left half way are looked for every few seconds.
CREATE INDEX attachments_moving ON attachments (updated_at)
    WHERE deleted_at IS NULL AND attach_status IN ('attaching', 'detaching', 'error_detaching');
CREATE INDEX volumes_error_extending ON volumes (updated_at) WHERE deleted_at IS NULL AND status = 'error_extending';

-- All that are placed, also before they are launched: what is on a host. Statements
-- that list them say user_id >= '', see volumes_live_project.
CREATE INDEX volumes_placed ON volumes (pool_id) WHERE deleted_at IS NULL AND pool_id IS NOT NULL AND user_id >= '';
DROP INDEX volumes_live_pool;

-- For the lists of all projects.
CREATE INDEX attachments_live_created ON attachments (created_at DESC, id DESC) WHERE deleted_at IS NULL AND generation >= 0; -- see db.EveryAttachment
CREATE INDEX transfers_live_created ON transfers (created_at DESC, id DESC) WHERE deleted_at IS NULL;

-- +goose Down
DROP INDEX transfers_live_created, attachments_live_created;
CREATE INDEX volumes_live_pool ON volumes (pool_id) WHERE deleted_at IS NULL AND launched_at IS NOT NULL;
DROP INDEX volumes_placed, volumes_error_extending, attachments_moving;
CREATE INDEX group_snapshots_live_group ON group_snapshots (group_id) WHERE deleted_at IS NULL;
CREATE INDEX transfers_live_volume ON transfers (volume_id) WHERE deleted_at IS NULL;
CREATE INDEX snapshots_live_volume ON snapshots (volume_id, created_at DESC) WHERE deleted_at IS NULL AND volume_id IS NOT NULL;
CREATE INDEX attachments_live_volume ON attachments (volume_id) WHERE deleted_at IS NULL AND volume_id IS NOT NULL;
DROP INDEX group_snapshots_group, transfers_volume, snapshots_volume, attachments_volume;
