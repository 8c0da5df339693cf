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

// firstGiven is the first of the names of a field that the body has, with a null
// also: null is how a name or description is taken away.
func firstGiven[T any](names ...given[T]) given[T] {
	for _, g := range names {
		if g.is {
			return g
		}
	}
	return given[T]{}
}
