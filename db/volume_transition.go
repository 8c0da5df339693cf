package db

import (
	"context"
	"strings"
)

// movedVolumes leaves out the name of the type, which is in another table.
var movedVolumes = func() stateful[Volume] {
	s := withHistory(volumes, "Volume", scanVolume, VolumeNotFound)
	s.columns, s.from = strings.Replace(s.columns, "t.name", "''", 1), "moved v"
	return s
}()

// settledSQL derives a status from the attachments that are left, as Cinder does when
// one is deleted, and from os-reserve.
const settledSQL = `CASE WHEN v.held THEN 'attaching' ELSE COALESCE((SELECT CASE
	WHEN bool_or(a.attach_status IN ('attached', 'detaching', 'error_detaching')) THEN 'in-use'
	WHEN bool_or(a.attach_status = 'attaching') THEN 'attaching'
	WHEN count(*) > 0 THEN 'reserved' END
	FROM attachments a WHERE a.volume_id = v.id AND a.deleted_at IS NULL), 'available') END`

// MoveVolume changes a volume's status by compare-and-set, raises its
// generation and writes the history; set holds further columns for the same
// statement. It gives the row as it is then. Conflict, with the status it found
// in the message, when the volume is in none of the Move's statuses; NotFound
// when it is gone.
func (t *Tx) MoveVolume(ctx context.Context, id string, m Move, reason string, set map[string]any) (Volume, error) {
	return t.moveVolume(ctx, id, 0, m, reason, set)
}

// MoveVolumeAt is MoveVolume for a worker that acted upon v: Conflict also when
// anything has moved the volume since v was read. The worker then reads the row
// again and decides anew.
func (t *Tx) MoveVolumeAt(ctx context.Context, v Volume, m Move, reason string, set map[string]any) (Volume, error) {
	return t.moveVolume(ctx, v.ID, v.Generation, m, reason, set)
}

// moveVolume does it; the generation is the one to be moved from, 0 for any.
func (t *Tx) moveVolume(ctx context.Context, id string, generation int64, m Move, reason string, set map[string]any) (Volume, error) {
	if m.To == Settled {
		t.lockVolume(id)
	}
	v, err := movedVolumes.move(ctx, t, id, generation, m, reason, set)
	if err == nil {
		t.locked = id
	}
	return v, err
}

// lockVolume keeps every other change of the volume out until this transaction
// ends. It comes before a Settled move: the derived status reads other rows, and
// an UPDATE that had to wait for this row would read them as they were before it
// waited. NotFound, with the next statement, when the volume is gone.
func (t *Tx) lockVolume(id string) {
	if t.locked != id {
		var b builder
		t.expect(VolumeNotFound(id), "SELECT 1 FROM volumes v WHERE "+t.live(&b, "v", id)+" FOR UPDATE", b.args...)
		t.locked = id
	}
}
