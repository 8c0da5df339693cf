package api

import "encoding/json"

// given is a field of a body that tells null from nothing.
type given[T any] struct {
	is    bool
	value *T // nil for null
}

// UnmarshalJSON notes that the field is there.
func (g *given[T]) UnmarshalJSON(raw []byte) error {
	g.is = true
	return json.Unmarshal(raw, &g.value)
}
