-- +goose Up

-- Which way a backend goes whose replication_status is failing-over.
ALTER TABLE services ADD COLUMN failing_back boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE services DROP COLUMN failing_back;
