-- +goose Up

CREATE TABLE group_types (
    id          uuid PRIMARY KEY,
    name        text        NOT NULL,
    description text,
    is_public   boolean     NOT NULL DEFAULT true,
    group_specs jsonb       NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz,
    deleted_at  timestamptz
);
CREATE UNIQUE INDEX group_types_live_name ON group_types (name) WHERE deleted_at IS NULL;

-- Groups of this type are what the older API calls consistency groups.
INSERT INTO group_types (id, name, description, group_specs)
VALUES (gen_random_uuid(), 'default_cgsnapshot_type', 'Default group type for migrating cgsnapshot',
    '{"consistent_group_snapshot_enabled": "<is> True"}');

-- +goose Down
DROP TABLE group_types;
