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
	if _, ofKey := failed.ErrorKind.(*kind.PropertyNames); ofKey || len(failed.Causes) == 0 {
		return failed
	}
	var first *jsonschema.ValidationError
	types := kind.Type{}
	for _, cause := range failed.Causes {
		leaf := leafOf(cause)
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

func fieldName(location []string) string {
	if len(location) == 0 {
		return "body"
	}
	return location[len(location)-1]
}

// valueText shows the value that was refused, not at any length.
func valueText(doc any, location []string) string {
	for _, step := range location {
		switch at := doc.(type) {
		case map[string]any:
			doc = at[step]
		case []any:
			if i, err := strconv.Atoi(step); err == nil && i < len(at) {
				doc = at[i]
			}
		}
	}
	text, err := json.Marshal(doc)
	if err != nil || len(text) > 300 {
		return "(too long to show)"
	}
	return strings.Trim(string(text), `"`)
}
