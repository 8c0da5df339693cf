package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
)

// doc is a JSON object under way.
type doc = map[string]any

// openAPI describes the routes as an OpenAPI 3.1 document, whose schemas are the
// very files that bodies are checked with. What OpenAPI has no words for is in
// x-openstack, as OpenStack's own generator writes it: the microversions between
// which an operation or a body holds (min-ver, max-ver), the key that makes an
// action (action-name), and the policy rules.
func openAPI(routes []Route) ([]byte, error) {
	schemas, versions, err := openSchemas()
	if err != nil {
		return nil, err
	}
	all, err := endpoints(routes)
	if err != nil {
		return nil, err
	}
	paths := doc{}
	for _, e := range all {
		at, _ := paths[openPath(e.path)].(doc)
		if at == nil {
			at = doc{"parameters": openParameters(e.path)}
			paths[openPath(e.path)] = at
		}
		at[strings.ToLower(e.method)] = openOperation(e, schemas, versions)
	}
	schemas["fault"] = openFault
	return json.MarshalIndent(doc{
		"openapi": "3.1.0",
		"info": doc{"title": "Block Storage API", "version": MaxVersion.String(),
			"description": "The OpenStack Block Storage API v3, microversions " + MinVersion.String() + " to " + MaxVersion.String() +
				". Every path is also served with the project's id after /v3."},
		"servers": []any{doc{"url": "/v3"}, doc{"url": "/v3/{project_id}",
			"variables": doc{"project_id": doc{"default": strings.Repeat("0", 32), "description": "the project of the token"}}}},
		"security": []any{doc{"token": []any{}}},
		"paths":    paths,
		"components": doc{
			"schemas":         schemas,
			"securitySchemes": doc{"token": doc{"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
			"parameters": doc{"microversion": doc{"name": versionHeader, "in": "header",
				"description": "volume and a microversion; 3.0 without", "schema": doc{"type": "string"}, "example": "volume " + MaxVersion.String()}},
		},
	}, "", " ")
}

// openFault is what every failure answers: one key, by the status.
var openFault = doc{"type": "object", "additionalProperties": doc{"type": "object", "required": []string{"code", "message"},
	"properties": doc{"code": doc{"type": "integer"}, "message": doc{"type": "string"}, "retryAfter": doc{"type": "string"}}}}

// openPath writes /volumes/:volume_id as /volumes/{volume_id}.
func openPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if name, is := strings.CutPrefix(segment, ":"); is {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}

func openParameters(path string) []any {
	all := []any{doc{"$ref": "#/components/parameters/microversion"}}
	for segment := range strings.SplitSeq(path, "/") {
		if name, is := strings.CutPrefix(segment, ":"); is {
			all = append(all, doc{"name": name, "in": "path", "required": true, "schema": doc{"type": "string"}})
		}
	}
	return all
}

// openOperation describes one method of a path: one route, or all actions.
func openOperation(e *endpoint, schemas doc, versions map[string][]Version) doc {
	var routes []Route
	for _, action := range slices.Sorted(maps.Keys(e.actions)) {
		routes = append(routes, e.actions[action])
	}
	first := routes[0]
	family, _, _ := strings.Cut(first.Name, ".")
	operation := doc{"operationId": first.Name, "tags": []string{family}, "x-openstack": openWindow(first)}
	responses := doc{"default": doc{"description": "a fault",
		"content": doc{"application/json": doc{"schema": doc{"$ref": "#/components/schemas/fault"}}}}}
	for _, r := range routes {
		responses[itoa(r.Status)] = doc{"description": http.StatusText(r.Status)}
	}
	operation["responses"] = responses
	if first.Action != "" {
		operation["operationId"] = strings.NewReplacer("/:", ".", "/", ".").Replace(e.path[1:])
		operation["x-openstack"] = doc{"discriminator": "action"}
		operation["requestBody"] = openBody(openActions(routes, schemas, versions), true)
	} else if first.takesBody() {
		operation["requestBody"] = openBody(openVersions(first, versions), !first.BodyOptional)
	}
	return operation
}

func openBody(schema doc, required bool) doc {
	return doc{"required": required, "content": doc{"application/json": doc{"schema": schema}}}
}

// openWindow tells from which microversion a route is there, and for whom.
func openWindow(r Route) doc {
	window := doc{"min-ver": r.Since.String()}
	if len(r.Policy) > 0 {
		window["policy"] = r.Policy
	}
	if r.Action != "" {
		window["action-name"] = r.Action
	}
	return window
}

// openActions has each action's body as a component of its own.
func openActions(routes []Route, schemas doc, versions map[string][]Version) doc {
	var bodies []any
	for _, r := range routes {
		name := r.Name + ".action"
		schemas[name] = doc{"allOf": []any{openVersions(r, versions),
			doc{"type": "object", "required": []string{r.Action}, "minProperties": 1, "maxProperties": 1}},
			"x-openstack": openWindow(r)}
		bodies = append(bodies, doc{"$ref": "#/components/schemas/" + name})
	}
	return doc{"oneOf": bodies}
}

// openVersions is a route's body: whichever of its versions the request's
// microversion wants. One without a schema is any object.
func openVersions(r Route, versions map[string][]Version) doc {
	all := versions[r.Name]
	if len(all) == 0 {
		return doc{"type": "object"}
	}
	var bodies []any
	for i, v := range all {
		window := doc{"min-ver": max(v, r.Since).String()}
		if i+1 < len(all) {
			window["max-ver"] = (all[i+1] - 1).String()
		}
		bodies = append(bodies, doc{"$ref": "#/components/schemas/" + openName(r.Name, v), "x-openstack": window})
	}
	if len(bodies) == 1 {
		return bodies[0].(doc)
	}
	return doc{"anyOf": bodies, "x-openstack": doc{"discriminator": "microversion"}}
}

// openName is the component of a schema file: volumes.create-3.13 for
// volumes.create@13.json.
func openName(name string, v Version) string {
	if v == 0 {
		return name
	}
	return name + "-" + v.String()
}

// openSchemas gives the schema files as components, and of each route the
// microversions from which its files hold, in their order.
func openSchemas() (doc, map[string][]Version, error) {
	entries, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return nil, nil, err
	}
	components, versions := doc{}, map[string][]Version{}
	for _, entry := range entries {
		raw, err := schemaFiles.ReadFile(path.Join("schema", entry.Name()))
		if err != nil {
			return nil, nil, err
		}
		var content doc
		if err := json.Unmarshal(raw, &content); err != nil {
			return nil, nil, err
		}
		name, since, err := schemaName(entry.Name())
		if err != nil {
			return nil, nil, err
		}
		delete(content, "$schema")
		openRefs(content)
		if name == "definitions" {
			for key, definition := range content["$defs"].(doc) {
				components["definition."+key] = definition
			}
			continue
		}
		components[openName(name, since)] = content
		versions[name] = append(versions[name], since)
	}
	for _, all := range versions {
		slices.Sort(all)
	}
	return components, versions, nil
}

// openRefs makes references between files references between components.
func openRefs(content any) {
	switch at := content.(type) {
	case []any:
		for _, inner := range at {
			openRefs(inner)
		}
	case doc:
		for key, inner := range at {
			if target, is := inner.(string); is && key == "$ref" {
				at[key] = "#/components/schemas/" + openTarget(target)
				continue
			}
			openRefs(inner)
		}
	}
}

func openTarget(reference string) string {
	if _, key, is := strings.Cut(reference, "#/$defs/"); is {
		return "definition." + key
	}
	name, since, err := schemaName(reference)
	if err != nil {
		return reference // the schema compiler has refused it before
	}
	return openName(name, since)
}
