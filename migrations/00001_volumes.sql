-- +goose Up

-- One row for each Cinder service record: a scheduler, an API, or one backend of
-- a storage node, whose host is then host@backend.
CREATE TABLE services (
    id                 uuid PRIMARY KEY,
    host               text        NOT NULL,
    daemon             text        NOT NULL, -- Cinder's "binary", a reserved word here
    availability_zone  text        NOT NULL,
    disabled           boolean     NOT NULL DEFAULT false,
    disabled_reason    text,
    frozen             boolean     NOT NULL DEFAULT false,
    replication_status text NOT NULL DEFAULT 'disabled', -- no backend here replicates
    active_backend_id  text,
    endpoint           text        NOT NULL DEFAULT '', -- https://address:port of a node
    node_uuid          uuid, -- of a node; of a scheduler, the id of its River client
    version            text        NOT NULL DEFAULT '',
    heartbeat_at       timestamptz NOT NULL DEFAULT now(),
    polled_at          timestamptz, -- when a scheduler last took it upon itself to poll the node
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz,
    UNIQUE (host, daemon)
);

-- What one of all schedulers does from time to time, and when it was last begun.
CREATE TABLE chores (
    name     text PRIMARY KEY,
    begun_at timestamptz NOT NULL
);

-- Bytes are the node's view; *_bytes that end in allocated are ours: the sum of
-- the sizes of all live volumes and snapshots placed here, claims included.
CREATE TABLE pools (
    id                           uuid PRIMARY KEY,
    service_id                   uuid        NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    name                         text        NOT NULL UNIQUE, -- host@backend#pool
    availability_zone            text        NOT NULL,
    total_bytes                  bigint      NOT NULL,
    free_bytes                   bigint      NOT NULL,
    other_bytes                  bigint      NOT NULL, -- provisioned less live: strangers and trash
    allocated_bytes              bigint      NOT NULL DEFAULT 0 CHECK (allocated_bytes >= 0),
    volume_count                 integer     NOT NULL DEFAULT 0 CHECK (volume_count >= 0),
    claims_since_poll            integer     NOT NULL DEFAULT 0,
    thin                         boolean     NOT NULL,
    max_over_subscription_ratio  double precision NOT NULL,
    reserved_percentage          integer     NOT NULL,
    storage_protocol             text        NOT NULL,
    capabilities                 jsonb       NOT NULL DEFAULT '{}',
    io_busy_share                double precision NOT NULL DEFAULT 0,
    io_operations_per_second     double precision NOT NULL DEFAULT 0,
    io_bytes_per_second          double precision NOT NULL DEFAULT 0,
    io_mean_wait_ms              double precision NOT NULL DEFAULT 0,
    polled_at                    timestamptz NOT NULL DEFAULT now(),
    created_at                   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE volume_types (
    id           uuid PRIMARY KEY,
    name         text        NOT NULL,
    description  text,
    is_public    boolean     NOT NULL DEFAULT true,
    extra_specs  jsonb       NOT NULL DEFAULT '{}',
    qos_specs_id uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz,
    deleted_at   timestamptz
);
CREATE UNIQUE INDEX volume_types_live_name ON volume_types (name) WHERE deleted_at IS NULL;

-- Projects that may use a type that is not public.
CREATE TABLE volume_type_projects (
    volume_type_id uuid NOT NULL REFERENCES volume_types (id) ON DELETE CASCADE,
    project_id     text NOT NULL,
    PRIMARY KEY (volume_type_id, project_id)
);

INSERT INTO volume_types (id, name, description)
VALUES (gen_random_uuid(), '__DEFAULT__', 'Default Volume Type');

CREATE TABLE volumes (
    id                  uuid PRIMARY KEY,
    project_id          text        NOT NULL,
    user_id             text        NOT NULL,
    name                text,
    description         text,
    size_gib            integer     NOT NULL CHECK (size_gib >= 0),
    status              text        NOT NULL,
    migration_status    text,
    generation          bigint      NOT NULL DEFAULT 1, -- raised by each transition; fences node operations
    target_size_gib     integer,    -- while extending
    volume_type_id      uuid        NOT NULL REFERENCES volume_types (id),
    availability_zone   text        NOT NULL,
    pool_id             uuid        REFERENCES pools (id), -- set by the claim
    claimed_bytes       bigint      NOT NULL DEFAULT 0,    -- what this row counts in pools.allocated_bytes
    host                text,       -- host@backend#pool
    service_id          uuid,
    bootable            boolean     NOT NULL DEFAULT false,
    multiattach         boolean     NOT NULL DEFAULT false,
    metadata            jsonb       NOT NULL DEFAULT '{}',
    admin_metadata      jsonb       NOT NULL DEFAULT '{}',
    image_metadata      jsonb       NOT NULL DEFAULT '{}',
    snapshot_id         uuid,
    source_volid        uuid,
    group_id            uuid,
    encryption_key_id   uuid,
    replication_status  text,
    provider_id         text,
    consumes_quota      boolean     NOT NULL DEFAULT true,
    request_id          text        NOT NULL DEFAULT '',   -- of the request that made it
    launched_at         timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz,
    deleted_at          timestamptz
);
-- user_id >= '' always holds. That an index says so keeps it from statements that
-- know the id and do not say it: while there are no statistics, PostgreSQL may
-- read all of an index for one row. Lists say it: db.table.listed.
CREATE INDEX volumes_live_project ON volumes (project_id, created_at DESC, id DESC) WHERE deleted_at IS NULL AND user_id >= '';
CREATE INDEX volumes_live_created ON volumes (created_at DESC, id DESC) WHERE deleted_at IS NULL AND size_gib >= 0; -- see db.EveryProject
CREATE INDEX volumes_live_name    ON volumes (project_id, COALESCE(name, ''), created_at, id) WHERE deleted_at IS NULL AND user_id >= '';
CREATE INDEX volumes_live_type    ON volumes (volume_type_id) WHERE deleted_at IS NULL AND user_id >= '';
CREATE INDEX volumes_live_pool    ON volumes (pool_id) WHERE deleted_at IS NULL AND launched_at IS NOT NULL;
CREATE INDEX volumes_moving       ON volumes (updated_at)
    WHERE deleted_at IS NULL AND status IN ('creating', 'deleting', 'extending', 'downloading');

-- Every status a volume ever had, with the reason.
CREATE TABLE volume_history (
    volume_id  uuid        NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    generation bigint      NOT NULL,
    status     text        NOT NULL,
    reason     text        NOT NULL,
    PRIMARY KEY (volume_id, generation)
);

CREATE TABLE attachments (
    id              uuid PRIMARY KEY,
    volume_id       uuid        NOT NULL REFERENCES volumes (id),
    project_id      text        NOT NULL,
    user_id         text        NOT NULL,
    instance_uuid   uuid,
    attach_status   text        NOT NULL, -- reserved, attaching, attached, detaching, error_attaching, error_detaching, detached
    attach_mode     text,
    attached_host   text,
    mountpoint      text,
    connector       jsonb,
    connection_info jsonb,      -- holds the password: shown to the attachment's project only, never logged
    generation      bigint      NOT NULL DEFAULT 1,
    attached_at     timestamptz,
    detached_at     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz,
    deleted_at      timestamptz
);
CREATE INDEX attachments_live_volume   ON attachments (volume_id) WHERE deleted_at IS NULL AND volume_id IS NOT NULL;
CREATE INDEX attachments_live_project  ON attachments (project_id, created_at DESC, id DESC) WHERE deleted_at IS NULL AND user_id >= '';
CREATE INDEX attachments_live_instance ON attachments (instance_uuid) WHERE deleted_at IS NULL AND user_id >= '';

CREATE TABLE quotas (
    project_id text    NOT NULL,
    resource   text    NOT NULL,
    hard_limit integer NOT NULL CHECK (hard_limit >= -1),
    PRIMARY KEY (project_id, resource)
);
CREATE TABLE quota_classes (
    class_name text    NOT NULL,
    resource   text    NOT NULL,
    hard_limit integer NOT NULL CHECK (hard_limit >= -1),
    PRIMARY KEY (class_name, resource)
);
CREATE TABLE quota_usages (
    project_id text   NOT NULL,
    resource   text   NOT NULL,
    in_use     bigint NOT NULL CHECK (in_use >= 0),
    PRIMARY KEY (project_id, resource)
);

-- Ends a transaction that has raised a counter beyond its limit; -1 is none.
-- db.refusal reads the error.
-- +goose StatementBegin
CREATE FUNCTION over_quota(resource text, amount bigint, in_use bigint, hard_limit bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF hard_limit >= 0 AND in_use > hard_limit THEN
        RAISE EXCEPTION 'over quota' USING ERRCODE = 'CQ001', COLUMN = resource,
            DETAIL = format('%s %s %s', amount, in_use - amount, hard_limit);
    END IF;
END $$;
-- +goose StatementEnd

CREATE TABLE messages (
    id            uuid PRIMARY KEY,
    project_id    text        NOT NULL,
    event_id      text        NOT NULL,
    action_id     text        NOT NULL,
    detail_id     text        NOT NULL,
    detail        text        NOT NULL DEFAULT '', -- a sentence of our own behind Cinder's
    message_level text        NOT NULL DEFAULT 'ERROR',
    resource_type text,
    resource_uuid uuid,
    request_id    text,
    expires_at    timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX messages_project ON messages (project_id, created_at DESC, id DESC);
CREATE INDEX messages_expiry  ON messages (expires_at);

-- +goose Down
DROP FUNCTION over_quota;
DROP TABLE chores, messages, quota_usages, quota_classes, quotas, attachments, volume_history,
    volumes, volume_type_projects, volume_types, pools, services;
