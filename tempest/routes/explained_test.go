package routes

const (
	beforeTheTable  = "answered before the route table, since any method reaches it and most need no token: api/versions.go"
	anotherRouteHas = "the id default of the route that shows one"
	alwaysAMistake  = "Cinder routes it by accident, to a 500: deleting is an action"
	whatTheSDKSends = "the Python SDK sends PUT for POST, which Cinder answers with 404"
)

// explained are the differences that are meant, each with why.
var explained = map[string]string{

	"versions.root":                 beforeTheTable,
	"versions.v3":                   beforeTheTable,
	"healthcheck":                   beforeTheTable,
	"types.show_default":            anotherRouteHas,
	"group_types.show_default":      anotherRouteHas,
	"groups.http_delete":            alwaysAMistake,
	"consistencygroups.http_delete": alwaysAMistake,
	"workers.cleanup_put":           whatTheSDKSends,
}
