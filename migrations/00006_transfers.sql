-- +goose Up

-- A volume that is offered to another project. The key that the other project
-- must know is not kept, only a salted digest of it.
CREATE TABLE transfers (
    id                     uuid PRIMARY KEY,
    volume_id              uuid        NOT NULL REFERENCES volumes (id),
    name                   text,
    salt                   bytea       NOT NULL,
    crypt_hash             bytea       NOT NULL,
    no_snapshots           boolean     NOT NULL DEFAULT false,
    source_project_id      text        NOT NULL,
    destination_project_id text,
    accepted               boolean     NOT NULL DEFAULT false,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz,
    deleted_at             timestamptz -- accepted, withdrawn, or overtaken by another
);
CREATE INDEX transfers_live_project ON transfers (source_project_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX transfers_live_volume  ON transfers (volume_id) WHERE deleted_at IS NULL;

-- +goose Down
DROP TABLE transfers;
