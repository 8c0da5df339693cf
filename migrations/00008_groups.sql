-- +goose Up

-- Volumes that belong together: all of them are on one backend, so that they can
-- be snapshotted together.
CREATE TABLE groups (
    id                 uuid PRIMARY KEY,
    project_id         text        NOT NULL,
    user_id            text        NOT NULL,
    name               text,
    description        text,
    status             text        NOT NULL,
    generation         bigint      NOT NULL DEFAULT 1, -- raised by each transition
    group_type_id      uuid        NOT NULL REFERENCES group_types (id),
    availability_zone  text        NOT NULL,
    pool_id            uuid        REFERENCES pools (id), -- where its volumes are made; set when it is placed
    group_snapshot_id  uuid, -- what it was made from
    source_group_id    uuid,
    replication_status text,
    request_id         text        NOT NULL DEFAULT '',
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz,
    deleted_at         timestamptz
);
CREATE INDEX groups_live_project ON groups (project_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX groups_live_created ON groups (created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX groups_live_type    ON groups (group_type_id) WHERE deleted_at IS NULL;
CREATE INDEX groups_moving       ON groups (updated_at) WHERE deleted_at IS NULL AND status IN ('creating', 'deleting', 'error_deleting');

-- What types the volumes of a group may have.
CREATE TABLE group_volume_types (
    group_id       uuid NOT NULL REFERENCES groups (id),
    volume_type_id uuid NOT NULL REFERENCES volume_types (id),
    PRIMARY KEY (group_id, volume_type_id)
);
CREATE INDEX group_volume_types_type ON group_volume_types (volume_type_id);

CREATE INDEX volumes_live_group ON volumes (group_id) WHERE deleted_at IS NULL AND group_id IS NOT NULL;

-- Every status a group ever had, with the reason.
CREATE TABLE group_history (
    group_id   uuid        NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    generation bigint      NOT NULL,
    status     text        NOT NULL,
    reason     text        NOT NULL,
    PRIMARY KEY (group_id, generation)
);

-- Snapshots of all volumes of a group, taken together.
CREATE TABLE group_snapshots (
    id            uuid PRIMARY KEY,
    project_id    text        NOT NULL,
    user_id       text        NOT NULL,
    name          text,
    description   text,
    status        text        NOT NULL,
    generation    bigint      NOT NULL DEFAULT 1,
    group_id      uuid        NOT NULL REFERENCES groups (id),
    group_type_id uuid        NOT NULL REFERENCES group_types (id),
    request_id    text        NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz,
    deleted_at    timestamptz
);
CREATE INDEX group_snapshots_live_project ON group_snapshots (project_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX group_snapshots_live_created ON group_snapshots (created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX group_snapshots_live_group   ON group_snapshots (group_id) WHERE deleted_at IS NULL;
CREATE INDEX group_snapshots_moving       ON group_snapshots (updated_at) WHERE deleted_at IS NULL AND status IN ('creating', 'deleting', 'error_deleting');

CREATE INDEX snapshots_live_group ON snapshots (group_snapshot_id) WHERE deleted_at IS NULL AND group_snapshot_id IS NOT NULL;

CREATE TABLE group_snapshot_history (
    group_snapshot_id uuid        NOT NULL,
    at                timestamptz NOT NULL DEFAULT clock_timestamp(),
    generation        bigint      NOT NULL,
    status            text        NOT NULL,
    reason            text        NOT NULL,
    PRIMARY KEY (group_snapshot_id, generation)
);

-- +goose Down
DROP INDEX snapshots_live_group, volumes_live_group;
DROP TABLE group_snapshot_history, group_snapshots, group_history, group_volume_types, groups;
