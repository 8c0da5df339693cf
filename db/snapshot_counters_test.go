package db_test

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"clinker/db"
)

// errNo gives a transaction up.
var errNo = errors.New("no room")

// TestCountersFollowTheRows does in any order what requests and jobs do.
func TestCountersFollowTheRows(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	rapid.Check(t, func(r *rapid.T) {
		v := s.placed(rapid.IntRange(1, 3).Draw(r, "size"))
		var snaps []string
		steps := map[string]func(*rapid.T){
			"take": func(*rapid.T) {
				if snap, err := s.begin(v.ID, db.Limits{db.QuotaSnapshots: 3}); err == nil {
					snaps = append(snaps, snap.ID)
				}
			},
			"claim": func(r *rapid.T) { s.some(r, snaps, func(x db.Snapshot) { _, _ = s.ClaimSnapshot(t.Context(), x) }) },
			"finish": func(r *rapid.T) {
				s.some(r, snaps, func(x db.Snapshot) { _ = s.FinishSnapshot(t.Context(), x) })
			},
			"fail": func(r *rapid.T) {
				s.some(r, snaps, func(x db.Snapshot) {
					_ = s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FailSnapshot(ctx, x, "") })
				})
			},
			"delete": func(r *rapid.T) {
				s.some(r, snaps, func(x db.Snapshot) {
					_ = s.tx(func(ctx context.Context, tx *db.Tx) error {
						return tx.BeginSnapshotDelete(ctx, x.ID, db.SnapshotDeleteBegin, "")
					})
				})
			},
			"gone": func(r *rapid.T) {
				s.some(r, snaps, func(x db.Snapshot) {
					_ = s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FinishSnapshotDelete(ctx, x) })
				})
			},
			"extend": func(r *rapid.T) {
				now := s.volume(v.ID)
				if s.extend(now, now.SizeGiB+1) != nil {
					return
				}
				_ = s.tx(func(ctx context.Context, tx *db.Tx) error {
					if fits, err := tx.ClaimGrowth(ctx, v.ID, int64(now.SizeGiB+1)*gib); err != nil || !fits {
						return errNo
					}
					return nil
				})
				s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
					if rapid.Bool().Draw(r, "works") {
						_, err := tx.FinishExtend(ctx, s.volume(v.ID))
						return err
					}
					return tx.FailExtend(ctx, s.volume(v.ID), db.ExtendRefused, "")
				}))
			},
		}
		r.Repeat(steps)
		s.recounted()
	})
}

// some does something to one of the snapshots that are left.
func (s *stage) some(r *rapid.T, ids []string, do func(db.Snapshot)) {
	if len(ids) == 0 {
		return
	}
	snap, err := s.Snapshot(s.Context(), rapid.SampledFrom(ids).Draw(r, "snapshot"), "")
	if err == nil {
		do(snap)
	}
}
