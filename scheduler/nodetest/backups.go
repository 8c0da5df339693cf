package nodetest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// Backup is a backup as the store has it: what its volume held.
type Backup struct {
	rpc.BackupManifest
	Content string
}

// Store is where backups lie. Nodes may share one.
type Store struct {
	ID string

	mu      sync.Mutex
	backups map[rpc.BackupPlace]Backup
}

// NewStore gives an empty store with that id.
func NewStore(id string) *Store { return &Store{ID: id, backups: map[rpc.BackupPlace]Backup{}} }

// Backups gives what the store has.
func (s *Store) Backups() map[rpc.BackupPlace]Backup {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.backups)
}

// Put gives the store a backup that no node has made.
func (s *Store) Put(place rpc.BackupPlace, b Backup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backups[place] = b
}

// Lose takes a backup from the store, as whoever owns it may.
func (s *Store) Lose(place rpc.BackupPlace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.backups, place)
}

// WithStore makes the node one that keeps backups there.
func (n *Node) WithStore(s *Store) *Node {
	n.store = s
	return n
}

// Backup implements rpc.Volumed.
func (n *Node) Backup(ctx context.Context, f rpc.Fence, pool string, place rpc.BackupPlace, source rpc.BackupSource) (*rpc.Operation, error) {
	o, err := n.operate(ctx, "backup", f, pool, false, func() *fault.Fault {
		content, ok := n.volumes[key(pool, source.Source.ID)].Content, n.volumes[key(pool, source.Source.ID)].Pool != ""
		if source.Source.Kind == rpc.KindSnapshot {
			content, ok = n.snapshots[key(pool, source.Source.ID)].Content, n.snapshots[key(pool, source.Source.ID)].Of != ""
		}
		switch {
		case n.store == nil:
			return fault.New(fault.Unsupported, "this node keeps no backups")
		case !ok:
			return fault.New(fault.NotFound, "there is no volume or snapshot %s", source.Source.ID)
		}
		b := Backup{Content: content, BackupManifest: rpc.BackupManifest{
			Place: &place, VolumeID: source.VolumeID, Bytes: source.Bytes, Objects: 1, StoredBytes: source.Bytes,
			CreatedAt: 1, Metadata: source.Metadata, Needs: []string{},
		}}
		if source.Parent != "" {
			parent, ok := n.store.Backups()[rpc.BackupPlace{ID: source.Parent, Container: source.ParentContainer}]
			if !ok {
				return fault.New(fault.NotFound, "there is no backup %s", source.Parent)
			}
			b.Parent, b.ParentContainer, b.Needs = source.Parent, source.ParentContainer, append(slices.Clone(parent.Needs), source.Parent)
		}
		n.store.Put(place, b)
		return nil
	})
	if err == nil && o.State == rpc.Done {
		o.Objects = 1
	}
	return o, err
}

// Restore implements rpc.Volumed.
func (n *Node) Restore(ctx context.Context, f rpc.Fence, pool string, place rpc.BackupPlace, bytes int64, overwrite bool) (*rpc.Operation, error) {
	return n.operate(ctx, "restore", f, pool, false, func() *fault.Fault {
		if n.store == nil {
			return fault.New(fault.Unsupported, "this node keeps no backups")
		}
		b, ok := n.store.Backups()[place]
		switch {
		case !ok:
			return fault.New(fault.NotFound, "there is no backup %s", place.ID)
		case b.Bytes > bytes:
			return fault.New(fault.Invalid, "the backup has %d bytes", b.Bytes)
		}
		for _, e := range n.exports {
			if e.volume == f.ResourceID && e.pool == pool {
				return fault.New(fault.Busy, "the volume is exported")
			}
		}
		if overwrite && n.volumes[key(pool, f.ResourceID)].Bytes != bytes {
			return fault.New(fault.NotFound, "there is no such volume of %d bytes", bytes)
		}
		if failed := n.make(pool, f.ResourceID, bytes); failed != nil {
			return failed
		}
		n.volumes[key(pool, f.ResourceID)] = Volume{Pool: pool, Bytes: bytes, Content: b.Content}
		return nil
	})
}

// DestroyBackup implements rpc.Volumed.
func (n *Node) DestroyBackup(ctx context.Context, f rpc.Fence, place rpc.BackupPlace) (*rpc.Operation, error) {
	return n.operate(ctx, "destroy_backup", f, "", true, func() *fault.Fault {
		if n.store == nil {
			return fault.New(fault.Unsupported, "this node keeps no backups")
		}
		n.store.Lose(place)
		return nil
	})
}

// BackupManifest implements rpc.Volumed.
func (n *Node) BackupManifest(ctx context.Context, place rpc.BackupPlace) (*rpc.BackupManifest, error) {
	if err := n.enter(ctx, "backup_manifest", place.ID); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.store == nil {
		return nil, fault.New(fault.Unsupported, "this node keeps no backups")
	}
	b, ok := n.store.Backups()[place]
	if !ok {
		return nil, fault.New(fault.NotFound, "there is no backup %s", place.ID)
	}
	return &b.BackupManifest, n.leave("backup_manifest", place.ID)
}

// BackupManifests implements rpc.Volumed.
func (n *Node) BackupManifests(ctx context.Context, container, after string) ([]*rpc.BackupManifest, error) {
	if err := n.enter(ctx, "backup_manifests", ""); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.store == nil {
		return nil, fault.New(fault.Unsupported, "this node keeps no backups")
	}
	var page []*rpc.BackupManifest
	byID := func(a, b rpc.BackupPlace) int { return strings.Compare(a.ID, b.ID) }
	for _, place := range slices.SortedFunc(maps.Keys(n.store.Backups()), byID) {
		if b := n.store.Backups()[place]; place.Container == container && place.ID > after {
			page = append(page, &b.BackupManifest)
		}
	}
	return page, n.leave("backup_manifests", "")
}
