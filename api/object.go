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
type object struct{ w *jx.Writer }

// name is a field's name as it stands in JSON. Constants become one by
// themselves; text from elsewhere must go through quoted, or does not compile.
type name string

// quoted escapes a text to be a field's name.
func quoted(text string) name {
	var w jx.Writer
	w.Str(text)
	return name(w.Buf[1 : len(w.Buf)-1])
}

// encode writes the JSON text of a view.
func encode(w *jx.Writer, v View) {
	w.ObjStart()
	v(object{w})
	w.ObjEnd()
}

// render gives the JSON text of a view.
func render(v View) []byte {
	var w jx.Writer
	encode(&w, v)
	return w.Buf
}

// next begins a further element of what is open: a comma, unless it is the first.
func (o object) next() {
	if last := o.w.Buf[len(o.w.Buf)-1]; last != '{' && last != '[' {
		o.w.Comma()
	}
}

// field begins a field. It appends by itself, as this is done thirty thousand
// times for a list of a thousand.
func (o object) field(n name) {
	b := o.w.Buf
	if b[len(b)-1] == '{' {
		b = append(b, '"')
	} else {
		b = append(b, ',', '"')
	}
	b = append(b, n...)
	o.w.Buf = append(b, '"', ':')
}

func (o object) object(n name, v View) {
	o.field(n)
	encode(o.w, v)
}

// objects writes an array of objects.
func objects[T any](o object, n name, items []T, v func(o object, item T)) {
	o.field(n)
	o.w.ArrStart()
	for _, item := range items {
		o.next()
		o.w.ObjStart()
		v(o, item)
		o.w.ObjEnd()
	}
	o.w.ArrEnd()
}

func (o object) str(n name, value string) { o.field(n); o.w.Str(value) }
func (o object) int(n name, value int)    { o.field(n); o.w.Int(value) }
func (o object) bool(n name, b bool)      { o.field(n); o.w.Bool(b) }

// float writes a number that need not be whole.
func (o object) float(n name, f float64) { o.field(n); o.w.Float64(f) }

// null writes a field without a value.
func (o object) null(n name) { o.field(n); o.w.Null() }

// text writes a string, or null for none.
func (o object) text(n name, value *string) {
	if value == nil {
		o.null(n)
		return
	}
	o.str(n, *value)
}

// number writes a whole number, or null for none.
func (o object) number(n name, value *int) {
	if value == nil {
		o.null(n)
		return
	}
	o.int(n, *value)
}

// raw writes JSON text as it stands, {} for none.
func (o object) raw(n name, json []byte) {
	o.field(n)
	if len(json) == 0 {
		json = []byte("{}")
	}
	o.w.Raw(json)
}

// strings writes a map of strings, by key, so that answers (and Etags) repeat.
func (o object) strings(n name, m map[string]string) {
	o.field(n)
	o.w.ObjStart()
	if len(m) == 1 {
		for k, v := range m {
			o.entry(k, v)
		}
	} else if len(m) > 1 {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			o.entry(k, m[k])
		}
	}
	o.w.ObjEnd()
}

// entry writes a string under a key that is not ours.
func (o object) entry(key, value string) {
	o.next()
	o.w.Str(key)
	o.w.RawStr(":")
	o.w.Str(value)
}

// list writes an array of strings.
func (o object) list(n name, values []string) {
	o.field(n)
	o.w.ArrStart()
	for _, v := range values {
		o.next()
		o.w.Str(v)
	}
	o.w.ArrEnd()
}

// time writes a time as Cinder does: UTC, no zone, microseconds.
func (o object) time(n name, t time.Time) {
	o.field(n)
	o.w.Buf = appendTime(append(o.w.Buf, '"'), t.UTC())
	o.w.RawStr(`"`)
}

// appendTime is AppendFormat("2006-01-02T15:04:05.000000") in a third of the
// time; lists have two times a row.
func appendTime(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 1000 || year > 9999 {
		return t.AppendFormat(b, "2006-01-02T15:04:05.000000")
	}
	two := func(b []byte, n int, after byte) []byte { return append(b, byte('0'+n/10), byte('0'+n%10), after) }
	b = append(strconv.AppendInt(b, int64(year), 10), '-')
	b = two(two(b, int(month), '-'), day, 'T')
	b = two(two(two(b, hour, ':'), minute, ':'), second, '.')
	micros := t.Nanosecond() / 1000
	for unit := 100000; unit > 0; unit /= 10 {
		b = append(b, byte('0'+micros/unit%10))
	}
	return b
}

// when writes a time, or null for none.
func (o object) when(n name, t *time.Time) {
	if t == nil {
		o.null(n)
		return
	}
	o.time(n, *t)
}

// boolText writes "true" or "false" as text, as Cinder writes bootable.
func (o object) boolText(n name, b bool) { o.str(n, strconv.FormatBool(b)) }
