package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"clinker/internal/fault"
)

// explainSchema words the first failure as Cinder does; of the body as a whole it
// gives the reason alone.
func explainSchema(doc any, err error) error {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	leaf := leafOf(invalid)
	if wrong, ofKey := leaf.ErrorKind.(*kind.PropertyNames); ofKey {
		way, _ := holderOf(valueAt(doc, leaf.InstanceLocation), wrong.Property)
		leaf.InstanceLocation = slices.Concat(leaf.InstanceLocation, way)
	}
	value := valueText(doc, leaf.InstanceLocation)
	if len(leaf.InstanceLocation) == 0 {
		return fault.New(fault.Invalid, "%s", brief(reasonOf(leaf, value)))
	}
	return fault.New(fault.Invalid, "Invalid input for field/attribute %s. Value: %s. %s",
		brief(fieldName(leaf.InstanceLocation)), value, brief(reasonOf(leaf, value)))
}

// reasonOf words one failure. The library writes numbers out in full, which of
// 1e999999 takes a while.
func reasonOf(leaf *jsonschema.ValidationError, value string) string {
	switch k := leaf.ErrorKind.(type) {
	case *kind.Required:
		return fmt.Sprintf("'%s' is a required property", strings.Join(k.Missing, "', '"))
	case *kind.Minimum:
		return fmt.Sprintf("%s is less than the minimum of %s", value, k.Want.RatString())
	case *kind.Maximum:
		return fmt.Sprintf("%s is greater than the maximum of %s", value, k.Want.RatString())
	case *kind.Type:
		return fmt.Sprintf("%s is not of type '%s'", value, strings.Join(k.Want, "', '"))
	case *kind.PropertyNames:
		return fmt.Sprintf("the key '%s' is not allowed: %s", k.Property, reasonOf(leaf.Causes[0], k.Property))
	case *kind.AdditionalProperties:
		return fmt.Sprintf("Additional properties are not allowed ('%s' was unexpected)", strings.Join(k.Properties, "', '"))
	}
	return leaf.ErrorKind.LocalizedString(message.NewPrinter(language.English))
}

// brief keeps what a caller sent from being sent back at any length.
func brief(text string) string {
	const most = 500
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// hasNUL looks for the one character that JSON can carry and PostgreSQL cannot.
func hasNUL(doc any) bool {
	switch v := doc.(type) {
	case string:
		return strings.Contains(v, "\x00")
	case []any:
		return slices.ContainsFunc(v, hasNUL)
	case map[string]any:
		for key, value := range v {
			if strings.Contains(key, "\x00") || hasNUL(value) {
				return true
			}
		}
	}
	return false
}

// leafOf finds the failure that helps: the first, but of several forms a value
// could have had, the one of its own type. 0 is a number that is too small, not
// a null gone wrong. A value of none of their types has them all named. What is
// wrong with a key is said of the object that has it.
func leafOf(failed *jsonschema.ValidationError) *jsonschema.ValidationError {
	if isOfKey(failed) || len(failed.Causes) == 0 {
		return failed
	}
	var first *jsonschema.ValidationError
	types := kind.Type{}
	for _, cause := range failed.Causes {
		leaf := leafOf(cause)
		if isOfKey(leaf) && leaf == cause {
			leaf.InstanceLocation = failed.InstanceLocation
		}
		other, otherType := leaf.ErrorKind.(*kind.Type)
		if !otherType {
			return leaf
		}
		if first == nil {
			first = leaf
		}
		if slices.Equal(leaf.InstanceLocation, first.InstanceLocation) {
			types.Got, types.Want = other.Got, append(types.Want, other.Want...)
		}
	}
	types.Want = slices.Compact(types.Want)
	return &jsonschema.ValidationError{InstanceLocation: first.InstanceLocation, ErrorKind: &types}
}

func isOfKey(failed *jsonschema.ValidationError) bool {
	_, ofKey := failed.ErrorKind.(*kind.PropertyNames)
	return ofKey
}

// holderOf finds the object that has a key: the way to it from here. The library
// does not say it: the location that it gives for a key changes as it goes on.
func holderOf(doc any, key string) (way []string, found bool) {
	object, _ := doc.(map[string]any)
	if _, found = object[key]; found {
		return nil, true
	}
	for name, below := range object {
		if way, found = holderOf(below, key); found {
			return append([]string{name}, way...), true
		}
	}
	return nil, false
}

func fieldName(location []string) string {
	if len(location) == 0 {
		return "body"
	}
	return location[len(location)-1]
}

// valueText shows the value that was refused, not at any length.
func valueText(doc any, location []string) string {
	text, err := json.Marshal(valueAt(doc, location))
	if err != nil || len(text) > 300 {
		return "(too long to show)"
	}
	return strings.Trim(string(text), `"`)
}

// valueAt is what lies at a location of a body.
func valueAt(doc any, location []string) any {
	for _, step := range location {
		switch holder := doc.(type) {
		case map[string]any:
			doc = holder[step]
		case []any:
			if i, err := strconv.Atoi(step); err == nil && i < len(holder) {
				doc = holder[i]
			}
		}
	}
	return doc
}
