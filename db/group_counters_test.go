package db_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"clinker/db"
)

// asked is a group as a request makes it; placed is one that has its pool.
func (s *stage) asked() string {
	s.Helper()
	volume, err := s.VolumeTypeByName(s.Context(), "__DEFAULT__", "")
	s.must(err)
	kind, err := s.GroupTypeByName(s.Context(), db.ConsistencyType, true)
	s.must(err)
	g := db.Group{ID: uuid.NewString(), ProjectID: "p", UserID: "u", GroupTypeID: kind.ID, VolumeTypes: []string{volume.ID}, AvailabilityZone: "nova"}
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.InsertGroup(ctx, &g, nil) }))
	return g.ID
}

func (s *stage) placedGroup() string {
	s.Helper()
	id := s.asked()
	g, err := s.Group(s.Context(), id, "")
	s.must(err)
	pools, err := s.Pools(s.Context())
	s.must(err)
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FinishGroup(ctx, g, pools[0].Pool) }))
	return id
}

// TestCountersFollowGroupsAndTransfers does in any order what requests and jobs
// do with groups, their snapshots, and volumes that change hands. Much of it is
// refused; whatever happens, all counters of all projects are what the rows say.
func TestCountersFollowGroupsAndTransfers(t *testing.T) {
	t.Parallel()
	s := newStage(t, true)
	rapid.Check(t, func(r *rapid.T) {
		groups := []string{s.placedGroup(), s.asked()}
		volumes := []string{s.placed(1).ID, s.placed(2).ID}
		var snapshots, offers []string
		one := func(r *rapid.T, of []string) string {
			if len(of) == 0 {
				return "99999999-9999-4999-8999-999999999999"
			}
			return rapid.SampledFrom(of).Draw(r, "one")
		}
		try := func(fn func(ctx context.Context, tx *db.Tx) error) bool { return s.tx(fn) == nil }
		r.Repeat(map[string]func(*rapid.T){
			"join and leave": func(r *rapid.T) {
				g, err := s.Group(t.Context(), one(r, groups), "")
				if err != nil {
					return
				}
				change := db.GroupChange{Add: []string{one(r, volumes)}}
				if rapid.Bool().Draw(r, "leaves") {
					change = db.GroupChange{Remove: change.Add}
				}
				try(func(ctx context.Context, tx *db.Tx) error { return tx.ChangeGroup(ctx, g, change) })
			},
			"take": func(r *rapid.T) {
				gs := db.GroupSnapshot{ID: uuid.NewString(), ProjectID: "p", UserID: "u", GroupID: one(r, groups)}
				limits := db.Limits{db.QuotaSnapshots: 3}
				if try(func(ctx context.Context, tx *db.Tx) error { return tx.InsertGroupSnapshot(ctx, &gs, true, limits) }) {
					snapshots = append(snapshots, gs.ID)
				}
			},
			"taken": func(r *rapid.T) {
				gs, err := s.GroupSnapshot(t.Context(), one(r, snapshots), "")
				if err != nil {
					return
				}
				members, err := s.SnapshotsOfGroupSnapshot(t.Context(), gs.ID)
				s.must(err)
				for _, member := range members {
					_, err := s.ClaimSnapshot(t.Context(), member)
					s.must(err)
				}
				if rapid.Bool().Draw(r, "works") {
					try(func(ctx context.Context, tx *db.Tx) error { return tx.FinishGroupSnapshot(ctx, gs, members) })
					return
				}
				try(func(ctx context.Context, tx *db.Tx) error { return tx.FailGroupSnapshot(ctx, gs, members, "") })
			},
			"drop": func(r *rapid.T) {
				id := one(r, snapshots)
				try(func(ctx context.Context, tx *db.Tx) error { return tx.BeginGroupSnapshotDelete(ctx, id, "") })
				members, err := s.SnapshotsOfGroupSnapshot(t.Context(), id)
				s.must(err)
				for _, member := range members {
					try(func(ctx context.Context, tx *db.Tx) error { return tx.FinishSnapshotDelete(ctx, member) })
				}
				gs, err := s.GroupSnapshot(t.Context(), id, "")
				if left, _ := s.GroupSnapshotMembers(t.Context(), id, ""); err == nil && left.All == 0 {
					try(func(ctx context.Context, tx *db.Tx) error { return tx.FinishGroupSnapshotDelete(ctx, gs) })
				}
			},
			"delete the group": func(r *rapid.T) {
				id, with := one(r, groups), rapid.Bool().Draw(r, "with its volumes")
				if !try(func(ctx context.Context, tx *db.Tx) error { return tx.BeginGroupDelete(ctx, id, with, "") }) {
					return
				}
				members, err := s.VolumesOfGroups(t.Context(), id)
				s.must(err)
				for _, v := range members[id] {
					try(func(ctx context.Context, tx *db.Tx) error { return tx.FinishDelete(ctx, s.volume(v)) })
				}
				if g, err := s.Group(t.Context(), id, ""); err == nil {
					try(func(ctx context.Context, tx *db.Tx) error { return tx.FinishGroupDelete(ctx, g) })
				}
			},
			"offer": func(r *rapid.T) {
				offer := db.Transfer{ID: uuid.NewString(), VolumeID: one(r, volumes), NoSnapshots: rapid.Bool().Draw(r, "alone")}
				if try(func(ctx context.Context, tx *db.Tx) error { return tx.InsertTransfer(ctx, &offer) }) {
					offers = append(offers, offer.ID)
				}
			},
			"accept": func(r *rapid.T) {
				offer, err := s.Transfer(t.Context(), one(r, offers), "")
				if err != nil {
					return
				}
				limits := db.Limits{db.QuotaVolumes: rapid.IntRange(0, 2).Draw(r, "limit")}
				project := rapid.SampledFrom([]string{"p", "q"}).Draw(r, "project")
				try(func(ctx context.Context, tx *db.Tx) error { return tx.AcceptTransfer(ctx, offer, project, "u", limits) })
			},
			"withdraw": func(r *rapid.T) {
				offer, err := s.Transfer(t.Context(), one(r, offers), "")
				if err == nil {
					s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.WithdrawTransfer(ctx, offer) }))
				}
			},
			"": func(*rapid.T) { s.recounted() },
		})
		s.recounted()
	})
}
