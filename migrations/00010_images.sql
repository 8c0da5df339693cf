-- +goose Up

-- What a new volume is to hold: the id of an image in the image service.
ALTER TABLE volumes ADD COLUMN image_id text;

-- +goose Down
ALTER TABLE volumes DROP COLUMN image_id;
