package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		const all = "/volumes/:volume_id/encryption"
		rules := []string{"volume_extension:volume_encryption_metadata"}
		return []Route{
			{Name: "volume_encryption.show", Method: "GET", Path: all, Status: http.StatusOK,
				Policy: rules, Object: true, Handler: s.showVolumeEncryption},
			{Name: "volume_encryption.item", Method: "GET", Path: all + "/:key", Status: http.StatusOK,
				Policy: rules, Object: true, Handler: s.showVolumeEncryptionItem},
		}
	})
}

// encryptionItem is one thing that a host must know to read an encrypted volume.
type encryptionItem struct {
	key  name
	text *string // nil for none
	bits *int    // of the key, in place of a text
}

// encryptionOf tells how a volume is encrypted: its key, and what its type says
// of the cipher. Of one that is not encrypted, only that it has no key.
func (c *Call) encryptionOf(v db.Volume) ([]encryptionItem, error) {
	items := []encryptionItem{{key: "encryption_key_id", text: v.EncryptionKeyID}}
	e, err := c.database().TypeEncryption(c.Context(), v.VolumeTypeID)
	if err == nil && e != nil {
		items = append(items, encryptionItem{key: "control_location", text: &e.ControlLocation}, encryptionItem{key: "cipher", text: e.Cipher},
			encryptionItem{key: keySize, bits: e.KeySize}, encryptionItem{key: "provider", text: &e.Provider})
	}
	return items, err
}

const keySize = "key_size"

func (s *Server) showVolumeEncryption(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	items, err := c.encryptionOf(v)
	return func(o object) {
		for _, item := range items {
			if item.key == keySize {
				o.number(item.key, item.bits)
			} else {
				o.text(item.key, item.text)
			}
		}
	}, err
}

// showVolumeEncryptionItem answers with the bare value, and with nothing where
// there is none.
func (s *Server) showVolumeEncryptionItem(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	items, err := c.encryptionOf(v)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		if string(item.key) != c.Param("key") {
			continue
		}
		if item.bits != nil {
			text := itoa(*item.bits)
			item.text = &text
		}
		c.plain = item.text
		return nil, nil
	}
	return nil, fault.New(fault.NotFound, "Volume %s has no encryption metadata with key %s.", v.ID, c.Param("key"))
}
