package api

import (
	"bytes"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The document is one that tools read, and has every route and schema.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.do("", "GET", "/v3/openapi.json", "").want(t, 200)
	loader := openapi3.NewLoader()
	document, err := loader.LoadFromData([]byte(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, route := range w.server.routes {
		item := document.Paths.Value(openPath(route.Path))
		if item == nil || item.GetOperation(route.Method) == nil {
			t.Errorf("%s: no %s %s", route.Name, route.Method, route.Path)
			continue
		}
		operation := item.GetOperation(route.Method)
		if operation.Responses.Status(route.Status) == nil {
			t.Errorf("%s: no status %d", route.Name, route.Status)
		}
		if route.takesBody() != (operation.RequestBody != nil) {
			t.Errorf("%s: its body", route.Name)
		}
		if route.Action != "" && document.Components.Schemas[route.Name+".action"] == nil {
			t.Errorf("%s: no schema of the action", route.Name)
		}
	}
	for name := range w.server.schemas {
		if document.Components.Schemas[name] == nil {
			t.Errorf("no schema %s", name)
		}
	}
}

// Every body that the contract's tests send and the API accepts is one that the
// document allows.
func TestOpenAPIBodies(t *testing.T) {
	t.Parallel()
	raw, err := openAPI(Routes(nil))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("openapi.json", whole); err != nil {
		t.Fatal(err)
	}
	for _, route := range Routes(nil) {
		sent, known := operations[route.Name]
		if !known {
			continue
		}
		body := strings.NewReplacer("{free}", missing, "{server}", server, "{snapshot}", missing).Replace(sent.body)
		body = wordPattern.ReplaceAllString(body, missing)
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		if err != nil {
			t.Fatalf("%s: %v: %s", route.Name, err, body)
		}
		at := "openapi.json#/paths/" + strings.ReplaceAll(strings.NewReplacer("~", "~0", "/", "~1").Replace(openPath(route.Path)), "{", "%7B")
		at = strings.ReplaceAll(at, "}", "%7D") + "/" + strings.ToLower(route.Method) + "/requestBody/content/application~1json/schema"
		schema, err := compiler.Compile(at)
		if err != nil {
			t.Fatalf("%s: %v", route.Name, err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %s: %v", route.Name, body, err)
		}
	}
}
