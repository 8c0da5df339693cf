package api

import (
	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/keys"
	"clinker/internal/openstack/glance"
)

// backupKey gives a backup of an encrypted volume a copy of its key, which outlives
// the volume.
func (c *Call) backupKey(b *db.Backup, v db.Volume) (*volumeKeys, error) {
	if v.EncryptionKeyID == nil {
		return nil, nil
	}
	copied, err := c.copyKey(*v.EncryptionKeyID, db.KeyOfBackup, "backup-"+b.ID)
	if err == nil {
		b.EncryptionKeyID = &copied.key
	}
	return copied, err
}

// restoreKey gives what a volume needs to read a backup that is restored to it: a
// copy of the backup's key, unless its own is the same. The volume gets it when it
// has the bytes.
func (c *Call) restoreKey(b db.Backup, v db.Volume) (*volumeKeys, error) {
	switch {
	case b.EncryptionKeyID == nil && v.EncryptionKeyID == nil:
		return nil, nil
	case b.EncryptionKeyID == nil:
		return nil, fault.New(fault.Invalid, "Invalid volume: Volume %s is encrypted, and backup %s is not.", v.ID, b.ID)
	case v.EncryptionKeyID == nil:
		return nil, fault.New(fault.Invalid, "Invalid volume: Backup %s is of an encrypted volume, and volume %s is not encrypted.", b.ID, v.ID)
	}
	how, err := c.database().TypeEncryption(c.Context(), v.VolumeTypeID)
	if err != nil {
		return nil, err
	}
	if !b.Origin.Fits(how) { // its bytes are written as they are, header and all
		return nil, fault.New(fault.Invalid, "Invalid volume: Backup %s is of a volume that is encrypted in another way than volume %s.", b.ID, v.ID)
	}
	kept, err := c.readKey(*b.EncryptionKeyID)
	if err != nil {
		return nil, err
	}
	own, err := c.readKey(*v.EncryptionKeyID)
	if err == nil && own.Passphrase() == kept.Passphrase() {
		return nil, nil
	}
	if err != nil && !fault.Is(err, fault.Invalid) { // without its key the volume is lost anyway
		return nil, err
	}
	return c.copyKey(*b.EncryptionKeyID, db.KeyRestored, "volume-"+v.ID)
}

// imageKey gives an image of an encrypted volume a copy of its key. The image
// service deletes it with the image.
func (c *Call) imageKey(v db.Volume, image glance.NewImage) (*volumeKeys, error) {
	const property, policy = "cinder_encryption_key_id", "cinder_encryption_key_deletion_policy"
	delete(image.Properties, property)
	delete(image.Properties, policy)
	if v.EncryptionKeyID == nil {
		return nil, nil
	}
	copied, err := c.copyKey(*v.EncryptionKeyID, db.KeyOfImage, "image-"+image.ID)
	if err == nil {
		image.Properties[property], image.Properties[policy] = copied.key, "on_image_deletion"
	}
	return copied, err
}

// reimageKey gives the job that writes an image onto an encrypted volume what it
// needs.
func (c *Call) reimageKey(v db.Volume, image glance.Image) (*volumeKeys, error) {
	switch {
	case image.Encrypted():
		return nil, fault.New(fault.Invalid, "Image %s is unacceptable: it holds an encrypted volume, with a key of its own.", image.ID)
	case v.EncryptionKeyID == nil:
		return nil, nil
	case c.server.Keys == nil:
		return nil, noKeyManager()
	}
	e, err := c.database().TypeEncryption(c.Context(), v.VolumeTypeID)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, fault.New(fault.Invalid, "Invalid encryption spec")
	}
	if err := fitsHeader(*e, &v, &image); err != nil || c.server.Keys.Trusted() {
		return nil, err
	}
	k, err := c.readKey(*v.EncryptionKeyID)
	if err != nil {
		return nil, err
	}
	work, err := c.makeKey(keys.Service, db.KeyForWork, "work-"+v.ID, k)
	return &volumeKeys{call: c, work: work}, err
}
