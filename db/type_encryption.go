package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm/clause"

	"clinker/internal/fault"
)

// TypeEncryption is a row of volume_type_encryption: how the volumes of a type
// are encrypted. Who attaches a volume does it (control_location front-end).
type TypeEncryption struct {
	VolumeTypeID    string `gorm:"primaryKey"`
	EncryptionID    string
	Provider        string
	ControlLocation string
	Cipher          *string
	KeySize         *int // bits
	CreatedAt       time.Time
	UpdatedAt       *time.Time `gorm:"autoUpdateTime:false"`
}

// TableName is GORM's.
func (TypeEncryption) TableName() string { return "volume_type_encryption" }

// Same tells whether volumes may go from one encryption to the other as they
// are. nil is none.
func (e *TypeEncryption) Same(o *TypeEncryption) bool {
	if e == nil || o == nil {
		return e == o
	}
	return e.Provider == o.Provider && e.ControlLocation == o.ControlLocation &&
		deref(e.Cipher) == deref(o.Cipher) && deref(e.KeySize) == deref(o.KeySize)
}

// Encryption is what a TypeEncryption says, for where it is kept without its type.
type Encryption struct {
	Provider        string  `json:"provider"`
	ControlLocation string  `json:"control_location"`
	Cipher          *string `json:"cipher,omitempty"`
	KeySize         *int    `json:"key_size,omitempty"` // bits
}

// Fits tells whether the bytes of a backup may lie on a volume of a type that is
// encrypted so, as far as the backup says how they are.
func (o Origin) Fits(e *TypeEncryption) bool {
	was := o.Encryption
	return was == nil || e.Same(&TypeEncryption{Provider: was.Provider, ControlLocation: was.ControlLocation, Cipher: was.Cipher, KeySize: was.KeySize})
}

// encryptionOf gives how an encrypted volume is encrypted, nil of another one.
func (t *Tx) encryptionOf(ctx context.Context, v Volume) (*Encryption, error) {
	if v.EncryptionKeyID == nil {
		return nil, nil
	}
	found, err := all(ctx, t, pgx.RowToAddrOfStructByPos[Encryption],
		"SELECT provider, control_location, cipher, key_size FROM volume_type_encryption WHERE volume_type_id = $1", v.VolumeTypeID)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// TypeEncryption gives the encryption of a type, nil when it has none.
func (d *DB) TypeEncryption(ctx context.Context, typeID string) (*TypeEncryption, error) {
	var found []TypeEncryption
	err := d.gorm.WithContext(ctx).Where("volume_type_id = ?", typeID).Find(&found).Error
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// TypeEncryptionNotFound is what Cinder says of a type that has none.
func TypeEncryptionNotFound(typeID string) error {
	return fault.New(fault.NotFound, "Volume type encryption for type %s does not exist.", typeID)
}

// InsertTypeEncryption has a type's volumes encrypted. Invalid, in Cinder's
// words, when there are volumes of it, or when it has an encryption; NotFound
// when there is no such type.
func (t *Tx) InsertTypeEncryption(ctx context.Context, e *TypeEncryption) error {
	if err := t.lockEncryption(ctx, e.VolumeTypeID, "create"); err != nil {
		return err
	}
	err := t.gorm.Create(e).Error
	if duplicate(err) {
		return fault.Wrap(err, fault.Invalid, "Volume type encryption for type %s already exists.", e.VolumeTypeID)
	}
	if err != nil {
		return err
	}
	return t.markEncrypted(e.VolumeTypeID, true)
}

// UpdateTypeEncryption changes columns. Invalid when there are volumes of the
// type; NotFound when it has no encryption.
func (t *Tx) UpdateTypeEncryption(ctx context.Context, typeID string, set map[string]any) error {
	if err := t.lockEncryption(ctx, typeID, "update"); err != nil {
		return err
	}
	set["updated_at"] = t.Now()
	var e TypeEncryption
	result := t.gorm.Model(&e).Clauses(clause.Returning{}).Where("volume_type_id = ?", typeID).Updates(set)
	if result.Error == nil && result.RowsAffected == 0 {
		return TypeEncryptionNotFound(typeID)
	}
	return result.Error
}

// DeleteTypeEncryption has a type's volumes no longer encrypted; errors as for
// UpdateTypeEncryption.
func (t *Tx) DeleteTypeEncryption(ctx context.Context, typeID string) error {
	if err := t.lockEncryption(ctx, typeID, "delete"); err != nil {
		return err
	}
	result := t.gorm.Exec("DELETE FROM volume_type_encryption WHERE volume_type_id = ?", typeID)
	if result.Error == nil && result.RowsAffected == 0 {
		return TypeEncryptionNotFound(typeID)
	}
	if result.Error != nil {
		return result.Error
	}
	return t.markEncrypted(typeID, false)
}

// markEncrypted says it in the type's own row too, where HoldTypeAs sees it.
func (t *Tx) markEncrypted(typeID string, encrypted bool) error {
	return t.gorm.Exec("UPDATE volume_types SET encrypted = ? WHERE id = ?", encrypted, typeID).Error
}

// lockEncryption keeps volumes from being made of the type meanwhile.
func (t *Tx) lockEncryption(ctx context.Context, typeID, action string) error {
	kind, err := t.LockVolumeType(ctx, typeID)
	if err != nil {
		return err
	}
	used, err := t.TypeInUse(ctx, kind.ID)
	if err == nil && used {
		err = fault.New(fault.Invalid, "Cannot %s encryption specs. Volume type in use.", action)
	}
	return err
}
