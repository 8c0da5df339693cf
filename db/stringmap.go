package db

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/go-faster/jx"
)

// StringMap is a jsonb object whose values are strings: metadata, extra specs.
// nil and empty are the same and are stored as {}.
type StringMap map[string]string

// Scan reads a jsonb column.
func (m *StringMap) Scan(src any) error {
	var raw []byte
	switch v := src.(type) {
	case []byte:
		raw = v
	case string:
		raw = []byte(v)
	case nil:
	default:
		return fmt.Errorf("a map of strings cannot be read from %T", src)
	}
	return m.ScanBytes(raw)
}

// ScanBytes reads a jsonb column for pgx, which need not copy it then. null
// as a value is the empty string.
func (m *StringMap) ScanBytes(raw []byte) error {
	*m = nil
	if len(raw) <= len("{}") {
		return nil
	}
	*m = StringMap{}
	return jx.DecodeBytes(raw).Obj(func(d *jx.Decoder, key string) error {
		if d.Next() == jx.Null {
			(*m)[key] = ""
			return d.Null()
		}
		value, err := d.Str()
		(*m)[key] = value
		return err
	})
}

// Value writes a jsonb column.
func (m StringMap) Value() (driver.Value, error) {
	if len(m) == 0 {
		return "{}", nil
	}
	raw, err := json.Marshal(map[string]string(m))
	return string(raw), err
}

// IsTrue reads an extra spec of the form "<is> True".
func (m StringMap) IsTrue(key string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(m[key]), " "), "<is> true")
}

// With gives a new map in which the entries of more win.
func (m StringMap) With(more map[string]string) StringMap {
	all := make(StringMap, len(m)+len(more))
	maps.Copy(all, m)
	maps.Copy(all, more)
	return all
}
