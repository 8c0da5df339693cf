package api

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"clinker/internal/fault"
)

// schemaFiles are the bodies' schemas: <route name>.json, and
// <route name>@<n>.json for what holds from microversion 3.n on. Shared pieces
// are in definitions.json.
//
//go:embed schema/*.json
var schemaFiles embed.FS

// versionedSchema is a schema with the first microversion it holds for.
type versionedSchema struct {
	since  Version
	schema *jsonschema.Schema
}

// schemas are all bodies' schemas by route name, the newest first.
type schemas map[string][]versionedSchema

func loadSchemas() (schemas, error) {
	compiler := jsonschema.NewCompiler()
	entries, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if err := addSchema(compiler, entry.Name()); err != nil {
			return nil, fmt.Errorf("schema %s: %w", entry.Name(), err)
		}
	}
	all := schemas{}
	for _, entry := range entries {
		name, since, err := schemaName(entry.Name())
		if err != nil || name == "definitions" {
			continue
		}
		compiled, err := compiler.Compile(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("schema %s: %w", entry.Name(), err)
		}
		all[name] = append(all[name], versionedSchema{since, compiled})
	}
	for _, versions := range all {
		slices.SortFunc(versions, func(a, b versionedSchema) int { return int(b.since - a.since) })
	}
	return all, nil
}

func addSchema(compiler *jsonschema.Compiler, name string) error {
	raw, err := schemaFiles.ReadFile(path.Join("schema", name))
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return compiler.AddResource(name, doc)
}

// schemaName takes "volumes.create@53.json" apart.
func schemaName(file string) (name string, since Version, err error) {
	name, number, versioned := strings.Cut(strings.TrimSuffix(file, ".json"), "@")
	if !versioned {
		return name, 0, nil
	}
	n, err := strconv.Atoi(number)
	return name, Version(n), err
}

// check validates a body. Invalid, with the field in the message, when it does
// not pass. A route without a schema takes any object.
func (s schemas) check(name string, v Version, body []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "Malformed request body")
	}
	if _, isObject := doc.(map[string]any); !isObject {
		return fault.New(fault.Invalid, "Malformed request body")
	}
	for _, versioned := range s[name] {
		if v >= versioned.since {
			return explainSchema(doc, versioned.schema.Validate(doc))
		}
	}
	return nil
}

// explainSchema words the first failure as Cinder does.
func explainSchema(doc any, err error) error {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	leaf := leafOf(invalid)
	reason := leaf.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	switch k := leaf.ErrorKind.(type) {
	case *kind.Required:
		return fault.New(fault.Invalid, "Invalid input for field/attribute %s. Value: %s. '%s' is a required property",
			fieldName(leaf.InstanceLocation), valueText(doc, leaf.InstanceLocation), strings.Join(k.Missing, "', '"))
	case *kind.Minimum:
		reason = fmt.Sprintf("%s is less than the minimum of %s", k.Got.RatString(), k.Want.RatString())
	case *kind.Maximum:
		reason = fmt.Sprintf("%s is greater than the maximum of %s", k.Got.RatString(), k.Want.RatString())
	case *kind.AdditionalProperties:
		return fault.New(fault.Invalid, "Invalid input for field/attribute %s. Value: %s. Additional properties are not allowed ('%s' was unexpected)",
			fieldName(leaf.InstanceLocation), valueText(doc, leaf.InstanceLocation), strings.Join(k.Properties, "', '"))
	}
	return fault.New(fault.Invalid, "Invalid input for field/attribute %s. Value: %s. %s",
		fieldName(leaf.InstanceLocation), valueText(doc, leaf.InstanceLocation), reason)
}

// leafOf finds the failure that helps: the first, but of several forms a value
// could have had, the one of its own type. 0 is a number that is too small, not
// a null gone wrong.
func leafOf(failed *jsonschema.ValidationError) *jsonschema.ValidationError {
	if len(failed.Causes) == 0 {
		return failed
	}
	for _, cause := range failed.Causes {
		leaf := leafOf(cause)
		if _, otherType := leaf.ErrorKind.(*kind.Type); !otherType {
			return leaf
		}
	}
	return leafOf(failed.Causes[0])
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
