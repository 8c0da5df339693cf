-- +goose Up

-- Kept by os-reserve for an attachment to come, which makes it attaching
-- although it has none.
ALTER TABLE volumes ADD COLUMN held boolean NOT NULL DEFAULT false;

-- Made by os-initialize_connection, and waiting for its os-attach.
ALTER TABLE attachments ADD COLUMN initialized boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE attachments DROP COLUMN initialized;
ALTER TABLE volumes DROP COLUMN held;
