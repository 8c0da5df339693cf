-- +goose Up

-- A volume on its way to another type: the type, and what it counts there
-- already, beside what it counts under the type it has. Its snapshots go with
-- it; where they are another project's, that has a row too.
CREATE TABLE volume_retypes (
    volume_id        uuid    NOT NULL REFERENCES volumes (id),
    project_id       text    NOT NULL,
    volume_type_id   uuid    NOT NULL REFERENCES volume_types (id),
    migration_policy text    NOT NULL, -- never or on-demand
    volumes          integer NOT NULL,
    snapshots        integer NOT NULL,
    gigabytes        integer NOT NULL,
    PRIMARY KEY (volume_id, project_id)
);
CREATE INDEX volume_retypes_type ON volume_retypes (volume_type_id);
CREATE INDEX volumes_retyping ON volumes (updated_at) WHERE deleted_at IS NULL AND status = 'retyping';

-- +goose Down
DROP INDEX volumes_retyping;
DROP TABLE volume_retypes;
