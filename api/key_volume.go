package api

import (
	"context"
	"slices"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/keys"
	"clinker/internal/openstack/glance"
)

// The ways of encryption that a type may name (provider).
const (
	luks  = "luks"
	luks2 = "luks2"
)

// legacyLUKS are older names of luks, which os-brick understands.
var legacyLUKS = []string{"nova.volume.encryptors.luks.LuksEncryptor", "os_brick.encryptors.luks.LuksEncryptor", "LuksEncryptor"}

// providerOf gives a provider's present name.
func providerOf(e db.TypeEncryption) string {
	if slices.Contains(legacyLUKS, e.Provider) {
		return luks
	}
	return e.Provider
}

// luksHeaderMiB is how much of a volume the header takes, as cryptsetup makes it:
// what is left is for the bytes.
var luksHeaderMiB = map[string]int64{luks: 2, luks2: 16}

// imageCipher is the cipher that a storage node can write an image with.
const imageCipher = "aes-xts-plain64"

// encrypt gives a new volume its key, when its type is encrypted; nil when not.
// The key of a copy is a copy of its source's, so that each volume has one that
// can be deleted with it; an image that holds an encrypted volume brings its own.
func (c *Call) encrypt(v *db.Volume, kind db.VolumeType, s *volumeSource, image *glance.Image) (*volumeKeys, error) {
	if err := matchesSource(kind, s, image); err != nil || !kind.Encrypted {
		return nil, err
	}
	if c.server.Keys == nil {
		return nil, fault.New(fault.Invalid, "Key manager error: the volumes of type %s are encrypted, and no key manager is configured that could make their keys.", kind.Name)
	}
	how, err := c.database().TypeEncryption(c.Context(), kind.ID)
	if err != nil {
		return nil, err
	}
	if how == nil {
		return nil, fault.New(fault.Conflict, "The encryption of volume type %s was changed at the same time.", kind.Name)
	}
	if how.ControlLocation != "front-end" {
		return nil, fault.New(fault.Invalid, "The volumes of type %s are to be encrypted by the storage (control_location %s), which none here does; front-end is needed.", kind.Name, how.ControlLocation)
	}
	if s != nil && !s.origin.Fits(how) {
		return nil, s.wrongType(kind)
	}
	if err := fitsHeader(*how, v, image); err != nil {
		return nil, err
	}
	k, err := c.keyFor(*how, s, image)
	if err != nil {
		return nil, err
	}
	return c.makeVolumeKeys(v, k, image != nil && !image.Encrypted())
}

// matchesSource refuses copies that would be encrypted where their source is not,
// or the other way round.
func matchesSource(kind db.VolumeType, s *volumeSource, image *glance.Image) error {
	switch {
	case s != nil && (s.keyID != nil) != kind.Encrypted:
		return s.wrongType(kind)
	case image != nil && image.Encrypted() && !kind.Encrypted:
		return fault.New(fault.Invalid, "Image %s holds an encrypted volume, and the volumes of type %s are not encrypted.", image.ID, kind.Name)
	}
	return nil
}

// fitsHeader refuses an image that could not be written encrypted.
func fitsHeader(e db.TypeEncryption, v *db.Volume, image *glance.Image) error {
	if image == nil || image.Encrypted() {
		return nil
	}
	header, known := luksHeaderMiB[providerOf(e)]
	switch {
	case !known:
		return fault.New(fault.Invalid, "Image %s is unacceptable: images cannot be written with the encryption provider %s; luks and luks2 can.", image.ID, e.Provider)
	case e.Cipher != nil && *e.Cipher != imageCipher:
		return fault.New(fault.Invalid, "Image %s is unacceptable: images cannot be written with the cipher %s; %s can.", image.ID, *e.Cipher, imageCipher)
	case image.DiskFormat == "raw" && image.SizeBytes > int64(v.SizeGiB)<<30-header<<20:
		return fault.New(fault.Invalid, "Image %s is unacceptable: it has %d bytes, and a volume of %dGB with the header of %s encryption (%d MiB) has no room for them.",
			image.ID, image.SizeBytes, v.SizeGiB, providerOf(e), header)
	}
	return nil
}

// keyFor makes a key, or reads the one that is to be copied.
func (c *Call) keyFor(e db.TypeEncryption, s *volumeSource, image *glance.Image) (keys.Key, error) {
	switch {
	case s != nil:
		return c.readKey(*s.keyID)
	case image != nil && image.Encrypted():
		return c.readKeyOfImage(image.KeyID())
	}
	return newKey(e)
}

// newKey makes a key as a type wants it, refused in Cinder's words.
func newKey(e db.TypeEncryption) (keys.Key, error) {
	if e.Cipher == nil || *e.Cipher == "" {
		return keys.Key{}, fault.New(fault.Invalid, "Invalid encryption spec")
	}
	if e.KeySize == nil {
		return keys.Key{}, fault.New(fault.Invalid, "Key manager error: the volume type does not say how long its keys are (key_size).")
	}
	algorithm, _, _ := strings.Cut(*e.Cipher, "-")
	k, err := keys.New(keys.Spec{Algorithm: algorithm, Bits: *e.KeySize})
	return k, keyError(err)
}

// makeVolumeKeys puts the key into the store, and a copy for the job that writes
// an image, where the store would not let Clinker read the project's.
func (c *Call) makeVolumeKeys(v *db.Volume, k keys.Key, work bool) (*volumeKeys, error) {
	id, err := c.makeKey(c.bearer(), db.KeyOfVolume, "volume-"+v.ID, k)
	if err != nil {
		return nil, err
	}
	made := &volumeKeys{call: c, key: id}
	if work && !c.server.Keys.Trusted() {
		if made.work, err = c.makeKey(keys.Service, db.KeyForWork, "work-"+v.ID, k); err != nil {
			made.abandon()
			return nil, err
		}
	}
	v.EncryptionKeyID = &made.key
	return made, nil
}

// forgetKey deletes the key of a volume or backup that is being deleted, in a store that
// lets only the project's own token do so: with Cinder it goes first, too. In
// others it goes with the volume, and so it does when this fails.
func (c *Call) forgetKey(id *string) {
	if c.server.Keys == nil || id == nil || c.server.Keys.Trusted() {
		return
	}
	kept, known, err := c.database().KeptKey(c.Context(), *id)
	if err != nil || !known || kept.ProjectID != c.Identity.ProjectID {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), keyTimeout)
	defer cancel()
	c.deleteKey(ctx, c.bearer(), *id)
}
