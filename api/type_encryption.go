package api

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(typeEncryptionRoutes) }

// typeEncryptionRoutes: a type has at most one encryption, so that its id in
// the path says nothing.
func typeEncryptionRoutes(s *Server) []Route {
	const items, rule = "/types/:type_id/encryption", "volume_extension:volume_type_encryption:"
	const item = items + "/:encryption_id"
	return []Route{
		{Name: "type_encryption.show", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{rule + "get"}, Handler: s.showTypeEncryption},
		{Name: "type_encryption.create", Method: "POST", Path: items, Status: http.StatusOK,
			Policy: []string{rule + "create"}, Handler: s.createTypeEncryption},
		{Name: "type_encryption.item", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{rule + "get"}, Handler: s.showTypeEncryptionItem},
		{Name: "type_encryption.update", Method: "PUT", Path: item, Status: http.StatusOK,
			Policy: []string{rule + "update"}, Handler: s.updateTypeEncryption},
		{Name: "type_encryption.delete", Method: "DELETE", Path: item, Status: http.StatusAccepted,
			Policy: []string{rule + "delete"}, Handler: s.deleteTypeEncryption},
	}
}

// typeEncryption reads the encryption of the type in the path, nil for none.
func (c *Call) typeEncryption() (*db.TypeEncryption, error) {
	kind, err := c.volumeType()
	if err != nil {
		return nil, err
	}
	return c.database().TypeEncryption(c.Context(), kind.ID)
}

// encryptionFields has the fields of type.encryption (fields.tsv), each by
// itself, as clients may ask for one.
var encryptionFields = []struct {
	name  name
	write func(object, name, *db.TypeEncryption)
}{
	{"volume_type_id", func(o object, n name, e *db.TypeEncryption) { o.str(n, e.VolumeTypeID) }},
	{"encryption_id", func(o object, n name, e *db.TypeEncryption) { o.str(n, e.EncryptionID) }},
	{"provider", func(o object, n name, e *db.TypeEncryption) { o.str(n, e.Provider) }},
	{"control_location", func(o object, n name, e *db.TypeEncryption) { o.str(n, e.ControlLocation) }},
	{"cipher", func(o object, n name, e *db.TypeEncryption) { o.text(n, e.Cipher) }},
	{"key_size", func(o object, n name, e *db.TypeEncryption) { o.number(n, e.KeySize) }},
	{"created_at", func(o object, n name, e *db.TypeEncryption) { o.time(n, e.CreatedAt) }},
	{"updated_at", func(o object, n name, e *db.TypeEncryption) { o.when(n, e.UpdatedAt) }},
	{"deleted_at", func(o object, n name, _ *db.TypeEncryption) { o.null(n) }},
	{"deleted", func(o object, n name, _ *db.TypeEncryption) { o.bool(n, false) }},
}

func (s *Server) showTypeEncryption(c *Call) (View, error) {
	e, err := c.typeEncryption()
	return func(o object) {
		for _, f := range encryptionFields {
			if e != nil {
				f.write(o, f.name, e)
			}
		}
	}, err
}

func (s *Server) showTypeEncryptionItem(c *Call) (View, error) {
	e, err := c.typeEncryption()
	if err != nil {
		return nil, err
	}
	for _, f := range encryptionFields {
		if e != nil && string(f.name) == c.Param("encryption_id") {
			return func(o object) { f.write(o, f.name, e) }, nil
		}
	}
	return nil, db.TypeEncryptionNotFound(c.Param("type_id"))
}

// encryptionBody reads what is given of an encryption; the schema lets nothing
// through but columns of the table. A size may come as text.
func (c *Call) encryptionBody() (map[string]any, error) {
	var in struct {
		Encryption map[string]json.RawMessage `json:"encryption"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	set := map[string]any{}
	for name, raw := range in.Encryption {
		var text *string
		var size *gib
		if name == "key_size" {
			if err := json.Unmarshal(raw, &size); err != nil {
				return nil, fault.Wrap(err, fault.Invalid, "Invalid input for field/attribute key_size. Value: %s. It must be a whole number of at most %d.", brief(string(raw)), math.MaxInt32)
			}
			set[name] = (*int)(size)
			continue
		}
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "Malformed request body")
		}
		set[name] = text
	}
	return set, nil
}

// encryptionAnswer gives back what was sent.
func encryptionAnswer(sent map[string]any) View {
	return func(o object) {
		o.object("encryption", func(o object) {
			for _, f := range encryptionFields {
				switch value := sent[string(f.name)].(type) {
				case *string:
					o.text(f.name, value)
				case *int:
					o.number(f.name, value)
				}
			}
		})
	}
}

func (s *Server) createTypeEncryption(c *Call) (View, error) {
	sent, err := c.encryptionBody()
	if err != nil {
		return nil, err
	}
	e := db.TypeEncryption{VolumeTypeID: c.Param("type_id"), EncryptionID: uuid.NewString()}
	text := func(name string) *string { value, _ := sent[name].(*string); return value }
	e.Provider, e.ControlLocation, e.Cipher = *text("provider"), *text("control_location"), text("cipher")
	e.KeySize, _ = sent["key_size"].(*int)
	sent["volume_type_id"], sent["encryption_id"] = &e.VolumeTypeID, &e.EncryptionID
	return encryptionAnswer(sent), c.tx(func(tx *db.Tx) error { return tx.InsertTypeEncryption(c.Context(), &e) })
}

func (s *Server) updateTypeEncryption(c *Call) (View, error) {
	set, err := c.encryptionBody()
	if err != nil {
		return nil, err
	}
	answer := encryptionAnswer(maps.Clone(set))
	return answer, c.tx(func(tx *db.Tx) error { return tx.UpdateTypeEncryption(c.Context(), c.Param("type_id"), set) })
}

func (s *Server) deleteTypeEncryption(c *Call) (View, error) {
	return nil, c.tx(func(tx *db.Tx) error { return tx.DeleteTypeEncryption(c.Context(), c.Param("type_id")) })
}
