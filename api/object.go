package api

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/go-faster/jx"
)

// View writes the fields of an answer's top-level object.
type View func(o object)

// object writes the fields of one JSON object. Views are lists of its calls,
// in the order of Cinder's fields, and need no reflection: a list of a thousand
// volumes is a megabyte.
type object struct{ e *jx.Encoder }

// encode gives the JSON text of a view.
func encode(e *jx.Encoder, v View) {
	e.ObjStart()
	v(object{e})
	e.ObjEnd()
}

func (o object) object(name string, v View) {
	o.e.FieldStart(name)
	encode(o.e, v)
}

// objects writes an array of objects.
func objects[T any](o object, name string, items []T, v func(o object, item T)) {
	o.e.FieldStart(name)
	o.e.ArrStart()
	for _, item := range items {
		o.e.ObjStart()
		v(o, item)
		o.e.ObjEnd()
	}
	o.e.ArrEnd()
}

func (o object) str(name, value string) { o.e.FieldStart(name); o.e.Str(value) }
func (o object) int(name string, n int) { o.e.FieldStart(name); o.e.Int(n) }
func (o object) bool(name string, b bool) {
	o.e.FieldStart(name)
	o.e.Bool(b)
}

// float writes a number that need not be whole.
func (o object) float(name string, f float64) { o.e.FieldStart(name); o.e.Float64(f) }

// null writes a field without a value.
func (o object) null(name string) { o.e.FieldStart(name); o.e.Null() }

// text writes a string, or null for none.
func (o object) text(name string, value *string) {
	o.e.FieldStart(name)
	if value == nil {
		o.e.Null()
		return
	}
	o.e.Str(*value)
}

// raw writes JSON text as it stands, {} for none.
func (o object) raw(name string, json []byte) {
	o.e.FieldStart(name)
	if len(json) == 0 {
		json = []byte("{}")
	}
	o.e.Raw(json)
}

// strings writes a map of strings, by key, so that answers (and Etags) repeat.
func (o object) strings(name string, m map[string]string) {
	o.e.FieldStart(name)
	o.e.ObjStart()
	if len(m) == 1 {
		for k, v := range m {
			o.str(k, v)
		}
	} else if len(m) > 1 {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			o.str(k, m[k])
		}
	}
	o.e.ObjEnd()
}

// list writes an array of strings.
func (o object) list(name string, values []string) {
	o.e.FieldStart(name)
	o.e.ArrStart()
	for _, v := range values {
		o.e.Str(v)
	}
	o.e.ArrEnd()
}

// time writes a time as Cinder does: UTC, no zone, microseconds.
func (o object) time(name string, t time.Time) {
	o.e.FieldStart(name)
	var b [32]byte
	text := t.UTC().AppendFormat(append(b[:0], '"'), "2006-01-02T15:04:05.000000")
	o.e.Raw(append(text, '"'))
}

// when writes a time, or null for none.
func (o object) when(name string, t *time.Time) {
	if t == nil {
		o.null(name)
		return
	}
	o.time(name, *t)
}

// boolText writes "true" or "false" as text, as Cinder writes bootable.
func (o object) boolText(name string, b bool) { o.str(name, strconv.FormatBool(b)) }

// link writes one entry of a list of links.
func link(o object, rel, href string) {
	o.str("rel", rel)
	o.str("href", href)
}
