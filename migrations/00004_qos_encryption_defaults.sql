-- +goose Up

-- Limits for the volumes of some types, and who keeps to them: the consumer is
-- front-end (the hypervisor), back-end (the storage) or both.
CREATE TABLE qos_specs (
    id         uuid PRIMARY KEY,
    name       text        NOT NULL UNIQUE,
    consumer   text        NOT NULL,
    specs      jsonb       NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz
);
ALTER TABLE volume_types ADD CONSTRAINT volume_types_qos_specs
    FOREIGN KEY (qos_specs_id) REFERENCES qos_specs (id) ON DELETE SET NULL;
CREATE INDEX volume_types_qos_specs_id ON volume_types (qos_specs_id) WHERE qos_specs_id IS NOT NULL;

-- How the volumes of a type are encrypted; none for types whose are not.
CREATE TABLE volume_type_encryption (
    volume_type_id   uuid PRIMARY KEY REFERENCES volume_types (id) ON DELETE CASCADE,
    encryption_id    uuid        NOT NULL,
    provider         text        NOT NULL,
    control_location text        NOT NULL,
    cipher           text,
    key_size         integer,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz
);

ALTER TABLE volume_types ADD COLUMN encrypted boolean NOT NULL DEFAULT false; -- has a row there

-- The type of a project's volumes that are asked for without one.
CREATE TABLE default_types (
    project_id     text PRIMARY KEY,
    volume_type_id uuid NOT NULL REFERENCES volume_types (id)
);
CREATE INDEX default_types_type ON default_types (volume_type_id);

-- +goose Down
DROP TABLE default_types, volume_type_encryption;
ALTER TABLE volume_types DROP COLUMN encrypted, DROP CONSTRAINT volume_types_qos_specs;
DROP INDEX volume_types_qos_specs_id;
DROP TABLE qos_specs;
