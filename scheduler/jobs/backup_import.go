package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// longestChain bounds how many backups one may add to, one after the other.
const longestChain = 1000

// verifyImport holds an imported backup to what its store says. Until then it is
// only what somebody has written down.
func (r *run) verifyImport(ctx context.Context, b db.Backup) error {
	services, err := r.backupServices(ctx)
	if err != nil {
		return err
	}
	stores := storesFor(services, b)
	if len(stores) == 0 {
		if r.inGrace() {
			return errAgain
		}
		return r.failImport(ctx, b, "Import record failed, cannot find backup service to perform the import. No storage node reaches the store that the record names.")
	}
	for _, s := range stores {
		place := backupPlace(b)
		if place.Container == "" {
			place.Container = s.BackupContainer
		}
		manifest, err := r.manifest(ctx, s, place)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err == nil {
			return r.acceptImport(ctx, b, s, manifest)
		}
		return r.endImport(ctx, b, err)
	}
	return r.failImport(ctx, b, "Import record failed, the backup is not in the store, or not whole.")
}

// storesFor gives one service for each store that the backup may lie in.
func storesFor(services []db.Service, b db.Backup) (stores []db.Service) {
	for _, s := range services {
		known := slices.ContainsFunc(stores, func(other db.Service) bool { return other.BackupStore == s.BackupStore })
		if !known && (b.Store == nil || *b.Store == s.BackupStore) {
			stores = append(stores, s)
		}
	}
	return stores
}

// manifest asks a node; errAgain, or silent, when it does not answer.
func (r *run) manifest(ctx context.Context, s db.Service, place rpc.BackupPlace) (*rpc.BackupManifest, error) {
	call, cancel := context.WithTimeout(ctx, r.FirstWait+r.FirstWait/4)
	defer cancel()
	manifest, err := r.Nodes.Node(s.Endpoint).BackupManifest(call, place)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Timeout):
		return nil, r.silence(err, r.Patience)
	}
	r.notes.SilentSince = nil
	return manifest, err
}

// acceptImport makes the backup available if the store agrees with the record and
// has all that it adds to.
func (r *run) acceptImport(ctx context.Context, b db.Backup, s db.Service, m *rpc.BackupManifest) error {
	parent := ""
	if b.ParentID != nil {
		parent = *b.ParentID
	}
	for _, c := range []struct{ what, says, found string }{{"volume_id", b.VolumeID, m.VolumeID}, {"parent_id", parent, m.Parent}, {"id", b.StoredID(), m.Place.ID}} {
		if c.says != c.found {
			return r.failImport(ctx, b, fmt.Sprintf("Import record failed, the record says another %s than the store.", c.what))
		}
	}
	if m.Bytes > int64(b.SizeGiB)<<30 {
		return r.failImport(ctx, b, "Import record failed, the backup is larger than the record says.")
	}
	needs, err := r.chain(ctx, s, m)
	if err != nil {
		return r.endImport(ctx, b, err)
	}
	err = r.finish(ctx, func(tx *db.Tx) error {
		return tx.FinishImport(ctx, b, s, db.Stored{Container: m.Place.Container, Objects: int(m.Objects), Needs: needs, Origin: originOf(m.Metadata), At: time.Unix(m.CreatedAt, 0)})
	})
	if fault.Is(err, fault.Invalid) {
		err = r.endImport(ctx, b, err)
	}
	return err
}

// chain follows what a backup adds to, down to the full one. Invalid when one of
// them is not in the store.
func (r *run) chain(ctx context.Context, s db.Service, m *rpc.BackupManifest) ([]string, error) {
	needs := slices.Clone(m.Needs)
	for range longestChain {
		if m.Parent == "" {
			return needs, nil
		}
		if !slices.Contains(needs, m.Parent) {
			needs = append(needs, m.Parent)
		}
		parent, err := r.manifest(ctx, s, rpc.BackupPlace{ID: m.Parent, Container: m.ParentContainer})
		if fault.Is(err, fault.NotFound) {
			return nil, fault.New(fault.Invalid, "the backup %s that it adds to is not in the store", m.Parent)
		}
		if err != nil {
			return nil, err
		}
		m = parent
	}
	return nil, fault.New(fault.Invalid, "it adds to too many others, one after the other")
}

// endImport ends it if a node has said why it cannot be; else it goes on later.
func (r *run) endImport(ctx context.Context, b db.Backup, err error) error {
	if fault.Is(err, silent) || fault.Is(err, fault.Invalid) || fault.Is(err, fault.Unsupported) {
		return r.failImport(ctx, b, "Import record failed, "+sentence(err)+".")
	}
	return err
}

func (r *run) failImport(ctx context.Context, b db.Backup, text string) error {
	r.notes.Failure = text
	slog.WarnContext(ctx, "a backup was not imported", "backup", b.ID, "reason", text)
	return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FailBackup(ctx, b, text) })
}
