package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// exact reads JSON into out as Python, and the schemas, see it: a field's name is
// compared by the letter, and of a name that is there twice the last counts.
// encoding/json also takes "Size" for size, and of two objects of one name the
// fields of both, so that a value would get past its schema.
func exact(raw []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return err
	}
	return fill(doc, out)
}

// fill is exact of a document that has been read, with json.Number for its numbers.
func fill(doc, out any) error {
	var seen bytes.Buffer
	e := json.NewEncoder(&seen)
	e.SetEscapeHTML(false)
	if err := e.Encode(fieldsIn(doc, reflect.TypeOf(out))); err != nil {
		return err
	}
	return json.Unmarshal(seen.Bytes(), out)
}

var ownReader = reflect.TypeFor[json.Unmarshaler]()

// fieldsIn gives a document without what is no field of the type that it is to be read
// into. What the type reads itself stays as it is.
func fieldsIn(doc any, into reflect.Type) any {
	for into.Kind() == reflect.Pointer {
		into = into.Elem()
	}
	if reflect.PointerTo(into).Implements(ownReader) {
		return doc
	}
	switch doc := doc.(type) {
	case []any:
		if into.Kind() == reflect.Slice {
			all := make([]any, len(doc))
			for i, element := range doc {
				all[i] = fieldsIn(element, into.Elem())
			}
			return all
		}
	case map[string]any:
		kept := make(map[string]any, len(doc))
		switch into.Kind() {
		case reflect.Map:
			for name, value := range doc {
				kept[name] = fieldsIn(value, into.Elem())
			}
			return kept
		case reflect.Struct:
			fields := fieldsOf(into)
			for name, value := range doc {
				if field, known := fields[name]; known {
					kept[name] = fieldsIn(value, field)
				}
			}
			return kept
		}
	}
	return doc
}

// structures are fieldsOf's answers by type, which never change.
var structures sync.Map

// fieldsOf gives a structure's fields by their names in JSON; nobody changes them.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	if known, ok := structures.Load(t); ok {
		return known.(map[string]reflect.Type)
	}
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			fields[name] = f.Type
		}
	}
	structures.Store(t, fields)
	return fields
}
