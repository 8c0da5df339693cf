package backend

import "clinker/internal/fault"

// NotOurs is the refusal (Invalid) to serve what another storage node serves: each of two
// would take the other's volumes for remains. remedy is what to do when that one is no more.
func NotOurs(what, theirs, ours, remedy string) error {
	return fault.New(fault.Invalid, "%s is served by the storage node %s, and this one is %s (host, or backend_host): two that serve one destroy each other's volumes; "+
		"if that one is no more, %s", what, theirs, ours, remedy)
}
