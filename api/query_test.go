package api

import (
	"net/url"
	"reflect"
	"testing"
)

// Nothing of a query is left out, whatever it is.
func TestReadQuery(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]url.Values{
		"":                     {},
		"a=1&b=&c":             {"a": {"1"}, "b": {""}, "c": {""}},
		"a=1;b=2&&":            {"a": {"1"}, "b": {"2"}},
		"a=x+y%20z&a=%C3%9C":   {"a": {"x y z", "Ü"}},
		"name=100%":            {"name": {"100%"}},
		"name=%zz%4":           {"name": {"%zz%4"}},
		"name=a+%25%C3%9C%2&=": {"name": {"a %Ü%2"}, "": {""}},
		"%zz=1":                {"%zz": {"1"}},
	} {
		if got := readQuery(raw); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", raw, got, want)
		}
	}
}
