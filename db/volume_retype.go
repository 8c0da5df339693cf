package db

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// The moves of a volume that gets another type.
var (
	// RetypeBegin is of a free volume.
	RetypeBegin = Move{"retype", []string{"available"}, "retyping"}
	// RetypeBeginInUse is of an attached one: front-end QoS cannot change then.
	RetypeBeginInUse = Move{"retype", []string{"in-use"}, "retyping"}
	// RetypeDone: it has the type.
	RetypeDone = Move{"finish retyping", []string{"retyping"}, Settled}
	// RetypeRefused: its pool does not serve the type; it keeps the one it had.
	RetypeRefused = Move{"refuse retyping", []string{"retyping"}, Settled}
	// RetypeLost: a volume in status retyping had no job, and gets one.
	RetypeLost = Move{"begin again, for its job was lost", []string{"retyping"}, Same}
)

// Whether a retype may move the volume to another pool.
const (
	MigrateNever    = "never"
	MigrateOnDemand = "on-demand"
)

// VolumeRetypeArgs asks that a row in status retyping get the type that it is
// to have.
type VolumeRetypeArgs struct {
	VolumeID string `json:"volume_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (VolumeRetypeArgs) Kind() string { return "volume_retype" }

// Retype is the type that a volume is to have.
type Retype struct {
	VolumeTypeID    string
	MigrationPolicy string
	TypeSpecs
}

// BeginRetype starts to give a volume another type: its status, the quota under
// the new type's name, and the job, all at once. What it counts under the name
// of the type it has stays until it has the new one. Conflict when the volume is
// not as it must be (errors.tsv, volume_actions.retype).
func (t *Tx) BeginRetype(ctx context.Context, v Volume, to VolumeType, policy, request string, limits Limits) error {
	name, err := t.HoldTypeAs(ctx, to)
	if err != nil {
		return err
	}
	move := RetypeBegin
	if v.Status == "in-use" {
		move = RetypeBeginInUse
	}
	moved, err := t.MoveVolume(ctx, v.ID, move, "", nil)
	if err == nil {
		err = t.mayRetype(moved, to, v.Status == "in-use")
	}
	if err != nil {
		return err
	}
	if err := t.reserveRetype(ctx, moved, to.ID, name, policy, limits); err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeRetypeArgs{VolumeID: v.ID, Request: request})
}

// reserveRetype counts the volume and its snapshots under the name of the type
// that they are to have too, and notes it.
func (t *Tx) reserveRetype(ctx context.Context, v Volume, typeID, name, policy string, limits Limits) error {
	has, err := t.countedOf(v)
	if err != nil {
		return err
	}
	for project, c := range has.byProject() {
		err := t.gorm.Exec(`INSERT INTO volume_retypes (volume_id, project_id, volume_type_id, migration_policy, volumes, snapshots, gigabytes)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, v.ID, project, typeID, policy, c.Volumes, c.Snapshots, c.Gigabytes).Error
		if err == nil {
			err = t.Use(ctx, project, c.under(name, 1), limits)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) mayRetype(v Volume, to VolumeType, inUse bool) error {
	refused := func(why string) error { return fault.New(fault.Conflict, "Volume %s %s.", v.ID, why) }
	switch {
	case v.VolumeTypeID == to.ID:
		return refused("has the type already")
	case migrating(v):
		return refused("is being migrated")
	case v.GroupID != nil:
		return refused("is part of a group")
	case !inUse:
		return nil
	}
	differs, err := t.frontEndDiffers(v.VolumeTypeID, to.ID)
	if err == nil && differs {
		err = refused("is attached, and its host cannot be told other QoS specs")
	}
	return err
}

// frontEndDiffers tells whether the types' QoS specs differ and either is for
// the hypervisor to keep to, after Cinder's volume_qos_allows_retype.
func (t *Tx) frontEndDiffers(from, to string) (differs bool, err error) {
	return differs, t.gorm.Raw(`SELECT count(*) > 0 FROM volume_types a, volume_types b, qos_specs q
		WHERE a.id = ? AND b.id = ? AND a.qos_specs_id IS DISTINCT FROM b.qos_specs_id
			AND q.id IN (a.qos_specs_id, b.qos_specs_id) AND q.consumer <> 'back-end'`, from, to).Scan(&differs).Error
}

// RetypeOf gives the type that a volume is to have; NotFound when it is to have
// none (an administrator has set its status).
func (d *DB) RetypeOf(ctx context.Context, volumeID string) (r Retype, err error) {
	err = d.pool.QueryRow(ctx, "SELECT r.volume_type_id, r.migration_policy, t.extra_specs, "+backEndQosSQL+
		" FROM volume_retypes r JOIN volume_types t ON t.id = r.volume_type_id WHERE r.volume_id = $1 LIMIT 1", volumeID).
		Scan(&r.VolumeTypeID, &r.MigrationPolicy, &r.ExtraSpecs, &r.BackEndQos)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fault.New(fault.NotFound, "Volume %s is to have no other type.", volumeID)
	}
	return r, err
}

// FinishRetype gives the volume and its snapshots the type, and gives back what
// they counted under the name of the old one. Conflict when v is not the row as
// it is now; then nothing must be written, and v be read again.
func (t *Tx) FinishRetype(ctx context.Context, v Volume, to Retype) error {
	_, err := t.MoveVolumeAt(ctx, v, RetypeDone, "", map[string]any{
		"volume_type_id": to.VolumeTypeID, "multiattach": to.ExtraSpecs.IsTrue("multiattach"),
	})
	if err != nil {
		return err
	}
	return t.exchangeType(ctx, v, to)
}

// exchangeType counts a volume, v as it was before it got the type, and its
// snapshots under the type's name, and gives the snapshots the type too.
func (t *Tx) exchangeType(ctx context.Context, v Volume, to Retype) error {
	has, err := t.countedOf(v)
	if err != nil {
		return err
	}
	reserved, err := t.takeRetype(v.ID)
	if err != nil {
		return err
	}
	err = t.gorm.Exec("UPDATE snapshots SET volume_type_id = ? WHERE volume_id = ? AND deleted_at IS NULL", to.VolumeTypeID, v.ID).Error
	if err != nil {
		return err
	}
	return t.exchangeUse(ctx, has, reserved, to.VolumeTypeID)
}

// RefuseRetype leaves the volume the type it had and gives back what it counted
// under the other's name. Conflict as for FinishRetype.
func (t *Tx) RefuseRetype(ctx context.Context, v Volume, reason string) error {
	if _, err := t.MoveVolumeAt(ctx, v, RetypeRefused, reason, nil); err != nil {
		return err
	}
	return t.AbandonRetype(ctx, v.ID)
}
