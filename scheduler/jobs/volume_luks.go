package jobs

import (
	"context"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/keys"
	"clinker/internal/openstack/glance"
	"clinker/volumed/rpc"
)

// luksVersions are the formats behind a type's provider.
var luksVersions = map[string]string{"luks": "luks1", "luks2": "luks2",
	"nova.volume.encryptors.luks.LuksEncryptor": "luks1", "os_brick.encryptors.luks.LuksEncryptor": "luks1", "LuksEncryptor": "luks1"}

// luksFor says how an image is to be encrypted on its way to the volume; nil for
// not. What holds an encrypted volume already is copied as it is.
func (r *run) luksFor(ctx context.Context, v db.Volume, image glance.Image) (*rpc.LUKS, error) {
	switch {
	case v.EncryptionKeyID == nil && image.Encrypted():
		return nil, fault.New(wrongImage, "the image %s holds an encrypted volume, and the volume is not encrypted", image.ID)
	case v.EncryptionKeyID == nil, image.Encrypted():
		return nil, nil
	}
	e, err := r.DB.TypeEncryption(ctx, v.VolumeTypeID)
	if err != nil {
		return nil, err
	}
	if e == nil || e.Cipher == nil || e.KeySize == nil || luksVersions[e.Provider] == "" {
		return nil, fault.New(wrongImage, "the volume's type does not say how an image is to be encrypted")
	}
	k, err := r.volumeKey(ctx, v)
	if err != nil {
		return nil, err
	}
	return &rpc.LUKS{Version: luksVersions[e.Provider], Cipher: *e.Cipher, KeyBits: *e.KeySize, Passphrase: rpc.Secret(k.Passphrase())}, nil
}

// volumeKey reads a volume's key, as Clinker itself: the copy that was made for
// this, or the key in a store that lets it.
func (r *run) volumeKey(ctx context.Context, v db.Volume) (keys.Key, error) {
	if r.Keys == nil {
		return keys.Key{}, fault.New(wrongImage, "the scheduler has no key manager; [key_manager] must be set for it as for the API")
	}
	id := *v.EncryptionKeyID
	work, known, err := r.DB.WorkKey(ctx, v.ID)
	if err != nil {
		return keys.Key{}, err
	}
	if known {
		id = work.ID
	}
	ask, cancel := context.WithTimeout(ctx, askImages)
	defer cancel()
	k, err := r.Keys.Key(ask, keys.Service, id)
	switch {
	case ctx.Err() != nil:
		return k, ctx.Err()
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Forbidden):
		return k, fault.Wrap(err, wrongImage, "the volume's key cannot be read")
	case err != nil:
		return k, fault.Wrap(err, fault.Unavailable, "the key manager does not answer")
	}
	return k, nil
}
