package db

import (
	"context"
	"fmt"
	"strings"
)

// VolumeShown is Volume with what Volumes gives of it. Those that are asked for
// at the same time are read in one statement.
func (d *DB) VolumeShown(ctx context.Context, id, scope string) (Volume, error) {
	if !ValidID(id) {
		return Volume{}, VolumeNotFound(id)
	}
	found, err := d.shown.ask(ctx, id)
	if err != nil {
		return Volume{}, err
	}
	for i := range found {
		if found[i].ID == id && (scope == "" || found[i].ProjectID == scope) {
			return found[i], nil
		}
	}
	return Volume{}, VolumeNotFound(id)
}

// showSizes are for how many ids there are statements. Of one whose number of
// ids were open, PostgreSQL would make a new plan each time.
var showSizes = []int{1, 4, askedAtOnce}

// showSQL are the statements, by number of ids.
var showSQL = func() map[int]string {
	all := map[int]string{}
	for _, size := range showSizes {
		ids := make([]string, size)
		for i := range ids {
			ids[i] = fmt.Sprintf("$%d", i+1)
		}
		all[size] = "SELECT " + volumesShown.columns + " FROM " + volumesShown.from + " WHERE " + volumesShown.live +
			" AND v.id IN (" + strings.Join(ids, ", ") + ")"
	}
	return all
}()

// readVolumesShown reads up to askedAtOnce volumes; the statement's other places
// ask for the last one again.
func (d *DB) readVolumesShown(ctx context.Context, ids []string) ([]Volume, error) {
	size := showSizes[0]
	for i := 1; size < len(ids); i++ {
		size = showSizes[i]
	}
	args := make([]any, size)
	for i := range args {
		args[i] = ids[min(i, len(ids)-1)]
	}
	rows, err := d.pool.Query(ctx, showSQL[size], args...)
	if err != nil {
		return nil, err
	}
	return readShown(rows)
}
