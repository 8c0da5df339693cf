-- +goose Up

-- The keys of the local key store, sealed by the key file.
CREATE TABLE local_keys (
    id         uuid PRIMARY KEY,
    project_id text        NOT NULL, -- '' for Clinker's own
    user_id    text        NOT NULL,
    name       text        NOT NULL,
    algorithm  text        NOT NULL,
    bits       integer     NOT NULL,
    sealed     bytea,                -- none until it is filled
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Every key that Clinker has had made, in whichever key store, until it is gone
-- from there. It is written before there is a key, and last of all taken away.
CREATE TABLE kept_keys (
    id         uuid PRIMARY KEY,
    project_id text        NOT NULL, -- in which project it is kept; '' for Clinker's own
    use        text        NOT NULL, -- volume (and its snapshots), backup, image; restore, work: a copy for a job
    owner_id   uuid,                 -- of what it was made for: a volume, a backup, an image
    state      text        NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'kept', 'due')),
    changed_at timestamptz NOT NULL DEFAULT now(),
    tries      integer     NOT NULL DEFAULT 0, -- to delete it
    next_try   timestamptz NOT NULL DEFAULT now(),
    failure    text                            -- of the last try
);
CREATE INDEX kept_keys_due ON kept_keys (next_try) WHERE state = 'due';
CREATE INDEX kept_keys_new ON kept_keys (changed_at) WHERE state = 'new';
CREATE INDEX kept_keys_owner ON kept_keys (owner_id) WHERE use IN ('work', 'restore', 'image');

CREATE INDEX volumes_live_key ON volumes (encryption_key_id) WHERE encryption_key_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX snapshots_live_key ON snapshots (encryption_key_id) WHERE encryption_key_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX backups_live_key ON backups (encryption_key_id) WHERE encryption_key_id IS NOT NULL AND deleted_at IS NULL;

-- +goose Down
DROP INDEX volumes_live_key, snapshots_live_key, backups_live_key;
DROP TABLE kept_keys, local_keys;
