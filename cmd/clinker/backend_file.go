package main

import (
	"context"

	"clinker/internal/conf"
	"clinker/volumed/backend"
	"clinker/volumed/backend/file"
)

func init() {
	drivers["file"] = driver{open: func(_ context.Context, b *conf.Backend) (backend.Backend, error) {
		return file.Open(file.Options{Directory: b.FileDirectory, Owner: b.BackendHost})
	}}
}
