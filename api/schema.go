package api

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

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

// check validates a body, and gives what it holds. Invalid, with the field in the
// message, when it does not pass. A route without a schema takes any object.
func (s schemas) check(name string, v Version, body []byte) (doc any, err error) {
	doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "Malformed request body")
	}
	if _, isObject := doc.(map[string]any); !isObject {
		return nil, fault.New(fault.Invalid, "Malformed request body")
	}
	if bytes.Contains(body, []byte(`\u0000`)) && hasNUL(doc) {
		return nil, fault.New(fault.Invalid, "Malformed request body: a text must not contain the character U+0000")
	}
	for _, versioned := range s[name] {
		if v >= versioned.since {
			return doc, explainSchema(doc, versioned.schema.Validate(doc))
		}
	}
	return doc, nil
}
