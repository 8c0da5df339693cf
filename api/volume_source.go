package api

import (
	"clinker/db"
	"clinker/internal/fault"
)

// volumeSource is what a new volume is a copy of, and what it gets from it.
type volumeSource struct {
	what    string // in Cinder's words: snapshot, source volume, backup
	id      string
	sizeGiB int
	typeID  string    // "" for any
	zone    string    // "" for any
	pool    *string   // where the copy has to be, nil for anywhere
	keyID   *string   // of an encrypted one
	origin  db.Origin // of a backup: how its bytes are encrypted

	bootable      bool
	imageMetadata db.StringMap
}

// source finds what the request wants a copy of; nil for an empty volume. A
// source that the caller may not get does not exist for them.
func (c *Call) source(in volumeRequest) (*volumeSource, error) {
	switch {
	case in.Volume.SnapshotID != "":
		return c.snapshotSource(in.Volume.SnapshotID)
	case in.Volume.SourceVolid != "":
		return c.volumeSource(in.Volume.SourceVolid)
	case in.Volume.BackupID != "":
		return c.sourceBackup(in.Volume.BackupID)
	}
	return nil, nil
}

func (c *Call) snapshotSource(id string) (*volumeSource, error) {
	s, err := c.database().Snapshot(c.Context(), id, c.Scope())
	if err == nil && !c.Can("volume:get_snapshot", snapshotOwner(s)) {
		err = db.SnapshotNotFound(id)
	}
	if err == nil {
		err = s.Usable()
	}
	if err != nil {
		return nil, err
	}
	v, err := c.database().Volume(c.Context(), s.VolumeID, "")
	return &volumeSource{"snapshot", s.ID, s.SizeGiB, s.VolumeTypeID, v.AvailabilityZone, s.PoolID, s.EncryptionKeyID, db.Origin{}, s.Bootable, s.ImageMetadata}, err
}

func (c *Call) volumeSource(id string) (*volumeSource, error) {
	v, err := c.database().Volume(c.Context(), id, c.Scope())
	if err == nil && !c.Can("volume:get", ownerOf(v)) {
		err = db.VolumeNotFound(id)
	}
	if err != nil {
		return nil, err
	}
	if v.Status != "available" && v.Status != "in-use" {
		return nil, fault.New(fault.Invalid, "Invalid volume: Originating volume status must be one of available, in-use, but current status is: %s.", v.Status)
	}
	return &volumeSource{"source volume", v.ID, v.SizeGiB, v.VolumeTypeID, v.AvailabilityZone, v.PoolID, v.EncryptionKeyID, db.Origin{}, v.Bootable, v.ImageMetadata}, nil
}

// give makes the volume a copy: its size unless it is to be larger, and what
// booting from it needs.
func (s *volumeSource) give(v *db.Volume) error {
	if v.SizeGiB == 0 {
		v.SizeGiB = s.sizeGiB
	}
	v.Bootable, v.ImageMetadata = s.bootable, s.imageMetadata
	switch s.what {
	case "snapshot":
		v.SnapshotID = &s.id
	case "backup":
		v.BackupID = &s.id
	default:
		v.SourceVolid = &s.id
	}
	if v.SizeGiB >= s.sizeGiB {
		return nil
	}
	switch s.what {
	case "backup":
		return fault.New(fault.Invalid, "Invalid input received: Volume size %dGB cannot be smaller than the backup size %dGB. It must be >= backup size.", v.SizeGiB, s.sizeGiB)
	case "snapshot":
		return fault.New(fault.Invalid, "Invalid input received: Volume size '%d'GB cannot be smaller than the snapshot size %dGB. They must be >= original snapshot size.", v.SizeGiB, s.sizeGiB)
	}
	return fault.New(fault.Invalid, "Invalid input received: Volume size '%d'GB cannot be smaller than original volume size %dGB. They must be >= original volume size.", v.SizeGiB, s.sizeGiB)
}

// kind finds the type asked for, the source's, or the default one. A type that
// the source's pool does not serve is refused, since the copy has to be there.
func (c *Call) kind(name string, s *volumeSource) (db.VolumeType, error) {
	if s == nil || s.typeID == "" {
		return c.typeForCreate(name)
	}
	if name == "" {
		kind, err := c.database().VolumeType(c.Context(), s.typeID, "")
		switch {
		case fault.Is(err, fault.NotFound):
			return c.typeForCreate("")
		case err == nil && !kind.IsPublic: // having one of its volumes does not mean that more may be made
			return c.database().VolumeType(c.Context(), s.typeID, c.Scope())
		}
		return kind, err
	}
	kind, err := c.typeForCreate(name)
	if err != nil || kind.ID == s.typeID {
		return kind, err
	}
	if err := c.encryptedAlike(kind, s); err != nil {
		return kind, err
	}
	if c.server.Serves == nil || s.pool == nil {
		return kind, nil
	}
	pool, err := c.database().PoolOf(c.Context(), *s.pool)
	if err == nil && !c.server.Serves(kind.ExtraSpecs, pool) {
		err = s.wrongType(kind)
	}
	return kind, err
}

// encryptedAlike refuses a type whose volumes are encrypted in another way than
// the source: its bytes are copied as they are.
func (c *Call) encryptedAlike(kind db.VolumeType, s *volumeSource) error {
	was, err := c.database().TypeEncryption(c.Context(), s.typeID)
	if err != nil {
		return err
	}
	will, err := c.database().TypeEncryption(c.Context(), kind.ID)
	if err == nil && !will.Same(was) {
		err = s.wrongType(kind)
	}
	return err
}

// wrongType refuses a type for a copy, in Cinder's words.
func (s *volumeSource) wrongType(kind db.VolumeType) error {
	advice := "either match source volume, or omit type argument"
	if s.what == "snapshot" {
		advice = "recommend omitting the type argument"
	}
	return fault.New(fault.Invalid, "Invalid input received: Invalid volume_type provided: %s (requested type is not compatible; %s).", kind.ID, advice)
}
