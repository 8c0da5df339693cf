-- +goose Up

-- An image that a volume is being made into. creating: the image service is being
-- asked for it; waiting: it waits for its bytes; failed: it is to be deleted;
-- abandoned: likewise, unless it is whole.
CREATE TABLE image_uploads (
    image_id    uuid        PRIMARY KEY,
    volume_id   uuid        NOT NULL REFERENCES volumes (id),
    disk_format text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('creating', 'waiting', 'failed', 'abandoned')),
    attempt     integer     NOT NULL DEFAULT 1, -- each is an operation of its own on the node
    request_id  text        NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX image_uploads_volume ON image_uploads (volume_id);

-- An image that is to replace what a volume holds.
CREATE TABLE volume_reimages (
    volume_id      uuid        PRIMARY KEY REFERENCES volumes (id),
    image_id       text        NOT NULL,
    image_metadata jsonb       NOT NULL,
    request_id     text        NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now()
);

-- A hidden volume that holds an image, for others in its pool to be copies of.
CREATE TABLE image_cache (
    pool_id      uuid        NOT NULL REFERENCES pools (id) ON DELETE CASCADE,
    image_id     text        NOT NULL,
    volume_id    uuid        NOT NULL UNIQUE REFERENCES volumes (id),
    hash         text        NOT NULL, -- of the image's bytes when they were fetched
    size_gib     integer     NOT NULL,
    last_used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pool_id, image_id)
);

-- +goose Down
DROP TABLE image_cache;
DROP TABLE volume_reimages;
DROP TABLE image_uploads;
