-- +goose Up

-- What bears a volume on its node is named after this id, if it is not the volume's
-- own: Nova has moved the volume while it was in use (os-migrate_volume_completion).
ALTER TABLE volumes ADD COLUMN name_id uuid;
CREATE INDEX volumes_name_id ON volumes (name_id) WHERE name_id IS NOT NULL;

-- A volume on its way to another pool.
CREATE TABLE volume_migrations (
    volume_id     uuid        PRIMARY KEY REFERENCES volumes (id),
    wanted        text        NOT NULL DEFAULT '', -- host@backend or host@backend#pool; '' is any that serves its type
    pool_id       uuid        REFERENCES pools (id), -- where it goes, from the claim
    claimed_bytes bigint      NOT NULL DEFAULT 0,    -- what this row counts in that pool's allocated_bytes
    generation    bigint      NOT NULL,              -- of the volume's row; another one says that somebody else has changed it
    cleared       boolean     NOT NULL DEFAULT false, -- nothing that is left of it lies in the new pool any more
    token         text        NOT NULL,              -- what its new node shows its old one; never logged
    new_volume_id uuid        REFERENCES volumes (id), -- of one in use: what Nova copies it onto
    server_id     uuid,                              -- whose Nova it is
    asked_at      timestamptz,                       -- when Nova was asked last
    asked         integer     NOT NULL DEFAULT 0,    -- how often
    request_id    text        NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX volume_migrations_pool ON volume_migrations (pool_id);
CREATE INDEX volume_migrations_new ON volume_migrations (new_volume_id);

-- +goose Down
DROP TABLE volume_migrations;
ALTER TABLE volumes DROP COLUMN name_id;
