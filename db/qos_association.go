package db

import (
	"context"

	"clinker/internal/fault"
)

// A volume type has at most one set of QoS specs: volume_types.qos_specs_id.

// QosTypes lists the types that have the specs, by name.
func (d *DB) QosTypes(ctx context.Context, id string) ([]VolumeType, error) {
	var kinds []VolumeType
	return kinds, d.gorm.WithContext(ctx).
		Raw("SELECT * FROM volume_types WHERE qos_specs_id = ? AND deleted_at IS NULL ORDER BY name", id).Scan(&kinds).Error
}

// QosInUse tells whether any live type has locked specs.
func (t *Tx) QosInUse(ctx context.Context, id string) (bool, error) {
	var used bool
	err := t.gorm.Raw("SELECT EXISTS (SELECT 1 FROM volume_types WHERE qos_specs_id = ? AND deleted_at IS NULL)", id).Scan(&used).Error
	return used, err
}

// Associate gives a type the locked specs; it may be repeated. Invalid, in
// Cinder's words, when the type has others; NotFound when there is no such type.
func (t *Tx) Associate(ctx context.Context, q QosSpecs, typeID string) error {
	kind, err := t.LockVolumeType(ctx, typeID)
	if err != nil {
		return err
	}
	if has := deref(kind.QosSpecsID); has == q.ID {
		return nil
	} else if has != "" {
		return fault.New(fault.Invalid, "Invalid volume type: Type %s is already associated with another qos specs: %s", typeID, has)
	}
	_, err = t.UpdateVolumeType(ctx, typeID, map[string]any{"qos_specs_id": q.ID})
	return err
}

// Disassociate takes locked specs from a type, which may not have them.
// NotFound when there is no such type.
func (t *Tx) Disassociate(ctx context.Context, q QosSpecs, typeID string) error {
	kind, err := t.LockVolumeType(ctx, typeID)
	if err != nil || deref(kind.QosSpecsID) != q.ID {
		return err
	}
	_, err = t.UpdateVolumeType(ctx, typeID, map[string]any{"qos_specs_id": nil})
	return err
}

// DisassociateAll takes locked specs from all types.
func (t *Tx) DisassociateAll(ctx context.Context, q QosSpecs) error {
	return t.gorm.Exec("UPDATE volume_types SET qos_specs_id = NULL, updated_at = now() WHERE qos_specs_id = ?", q.ID).Error
}

// AttachOptions is what a type says about attaching its volumes.
type AttachOptions struct {
	ExtraSpecs StringMap
	Consumer   string // of its QoS specs, "" when it has none
	QosSpecs   StringMap
}

// AttachOptions reads them, of a type that has been deleted since too.
func (d *DB) AttachOptions(ctx context.Context, typeID string) (o AttachOptions, err error) {
	return o, d.pool.QueryRow(ctx, `SELECT t.extra_specs, COALESCE(q.consumer, ''), q.specs
		FROM volume_types t LEFT JOIN qos_specs q ON q.id = t.qos_specs_id WHERE t.id = $1`, typeID).
		Scan(&o.ExtraSpecs, &o.Consumer, &o.QosSpecs)
}
