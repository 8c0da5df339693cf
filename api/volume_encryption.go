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
	key   name
	value *string // nil for none
}

// encryptionOf tells how a volume is encrypted; of one that is not, only that
// it has no key.
func encryptionOf(v db.Volume) []encryptionItem {
	return []encryptionItem{{"encryption_key_id", v.EncryptionKeyID}}
}

func (s *Server) showVolumeEncryption(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	return func(o object) {
		for _, item := range encryptionOf(v) {
			o.text(item.key, item.value)
		}
	}, nil
}

// showVolumeEncryptionItem answers with the bare value, and with nothing where
// there is none.
func (s *Server) showVolumeEncryptionItem(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	key := c.Param("key")
	for _, item := range encryptionOf(v) {
		if string(item.key) == key {
			c.plain = item.value
			return nil, nil
		}
	}
	return nil, fault.New(fault.NotFound, "Volume %s has no encryption metadata with key %s.", v.ID, key)
}
