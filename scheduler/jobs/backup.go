package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"clinker/db"
	"clinker/scheduler/placement"
	"clinker/volumed/rpc"
)

// backupFence is fence for work on a backup.
func backupFence(operation string, b db.Backup) rpc.Fence {
	return rpc.Fence{
		OperationID: fmt.Sprintf("%s-%s-%d", operation, b.ID, b.Generation),
		ResourceID:  b.ID,
		Generation:  b.Generation,
	}
}

// backupServices gives the nodes that back up and restore at the moment, by host:
// up, not disabled, and reaching a store.
func (r *run) backupServices(ctx context.Context) ([]db.Service, error) {
	found, err := r.DB.BackupServices(ctx)
	at := time.Now()
	return slices.DeleteFunc(found, func(s db.Service) bool { return s.Disabled || !s.Up(at, r.DownTime) }), err
}

// backupServiceAt finds the one on the node of a pool, nil when it has none.
func backupServiceAt(services []db.Service, where place) *db.Service {
	node, _, _ := strings.Cut(where.name, "@")
	i := slices.IndexFunc(services, func(s db.Service) bool { return s.Host == node })
	if i < 0 {
		return nil
	}
	return &services[i]
}

// backupPlace is where a backup lies.
func backupPlace(b db.Backup) rpc.BackupPlace {
	place := rpc.BackupPlace{ID: b.StoredID()}
	if b.Container != nil {
		place.Container = *b.Container
	}
	return place
}

// originKey is under which a manifest keeps what the volume was beside its bytes.
const originKey = "origin"

// manifestMetadata is what is kept with the bytes, so that a lost database can be
// made again.
func manifestMetadata(b db.Backup) map[string]string {
	raw, _ := json.Marshal(b.Origin) // texts always can be
	m := map[string]string{originKey: string(raw), "size_gib": fmt.Sprint(b.SizeGiB), "project_id": b.ProjectID}
	if b.EncryptionKeyID != nil {
		m["encryption_key_id"] = *b.EncryptionKeyID
	}
	return m
}

// originOf reads it; nil where there is none.
func originOf(metadata map[string]string) *db.Origin {
	var origin db.Origin
	if text, has := metadata[originKey]; !has || json.Unmarshal([]byte(text), &origin) != nil {
		return nil
	}
	return &origin
}

// inGrace tells whether nodes may still be on their way.
func (r *run) inGrace() bool { return time.Since(r.since) < r.Grace }

// storeOf gives the store that a new volume's backup lies in, "" for a volume of
// none; what is wrong with the backup is found out when it is to be read.
func (r *run) storeOf(ctx context.Context, v db.Volume) (string, error) {
	if v.BackupID == nil {
		return "", nil
	}
	b, err := r.DB.Backup(ctx, *v.BackupID, "")
	if unlessGone(err) != nil || b.Store == nil {
		return "", unlessGone(err)
	}
	return *b.Store, nil
}

// withStores notes in the pools that placement chooses from which store the node of
// each reaches.
func (r *run) withStores(ctx context.Context, pools []db.PoolService, choices []placement.Pool) error {
	services, err := r.backupServices(ctx)
	for i := range choices {
		if s := backupServiceAt(services, placeOf(pools[i])); s != nil {
			choices[i].BackupStore = s.BackupStore
		}
	}
	return err
}
