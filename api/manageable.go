package api

import (
	"context"
	"math"
	"time"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// listPatience bounds how long a list waits for a storage node.
const listPatience = 15 * time.Second

// manageableView is a volume or snapshot that lies in a pool, and what is known
// of it here.
type manageableView struct {
	*rpc.Candidate
	managed bool
}

// unsafe says why it is not to be managed, in Cinder's words where it has them.
func (m manageableView) unsafe() string {
	kind := "volume"
	if m.Kind == rpc.KindSnapshot {
		kind = "snapshot"
	}
	switch {
	case m.managed:
		return "already managed"
	case m.Refusal == "it is in use":
		return kind + " in use"
	}
	return m.Refusal
}

func reference(name string) View { return func(o object) { o.str("source-name", name) } }

// summary has the fields of manageable_volume.summary (fields.tsv), and those of
// a snapshot's for one. Sizes are in GiB, rounded up.
func (m manageableView) summary(o object) {
	o.object("reference", reference(m.Reference))
	o.int("size", int((m.Bytes+bytesPerGiB-1)/bytesPerGiB))
	o.bool("safe_to_manage", m.unsafe() == "")
	if m.Kind == rpc.KindSnapshot {
		o.object("source_reference", reference(m.Origin))
	}
}

func (m manageableView) detail(o object) {
	m.summary(o)
	o.text("reason_not_safe", nullIf(m.unsafe(), ""))
	id := ""
	if m.managed {
		id = m.ID
	}
	o.text("cinder_id", nullIf(id, ""))
	o.null("extra_info")
}

// listManageable answers the lists: what the nodes tell, with what of it is
// managed, in order and by the page. It costs two statements.
func (s *Server) listManageable(collection name, kind rpc.Kind, view func(manageableView, object)) Handler {
	return func(c *Call) (View, error) {
		const withClusters Version = 17
		pools, err := c.poolsAsked(c.Query.Get("host"), c.Query.Get("cluster"), withClusters)
		if err != nil {
			return nil, err
		}
		page, err := c.manageablePage()
		if err != nil {
			return nil, err
		}
		found, err := c.candidates(pools, kind)
		if err != nil {
			return nil, err
		}
		if found, err = page.cut(found); err != nil {
			return nil, err
		}
		return func(o object) { objects(o, collection, found, func(o object, m manageableView) { view(m, o) }) }, nil
	}
}

// poolsAsked finds the pools of a host, of which exactly one of host and cluster
// may speak. There is no cluster.
func (c *Call) poolsAsked(host, cluster string, withClusters Version) ([]db.PoolService, error) {
	if !c.Since(withClusters) {
		cluster = ""
	}
	switch {
	case host == "" && !c.Since(withClusters):
		return nil, fault.New(fault.Invalid, "Invalid input received: Host field is missing.")
	case (host == "") == (cluster == ""):
		return nil, fault.New(fault.Invalid, "Invalid input received: One and only one of cluster and host must be set.")
	case cluster != "":
		return nil, fault.New(fault.NotFound, "Service cinder-volume could not be found on cluster %s.", cluster)
	}
	all, err := c.database().Pools(c.Context())
	if err != nil {
		return nil, err
	}
	var asked []db.PoolService
	for _, p := range all {
		if p.Name == host || p.Service.Host == host {
			asked = append(asked, p)
		}
	}
	if len(asked) == 0 {
		return nil, fault.New(fault.NotFound, "Service cinder-volume could not be found on host %s.", host)
	}
	return asked, c.serving(asked[0])
}

// serving refuses what is asked of a backend that is disabled or down.
func (c *Call) serving(p db.PoolService) error {
	if p.Service.Disabled || !p.Service.Up(time.Now(), c.server.ServiceDownTime) {
		return fault.New(fault.Invalid, "Service is unavailable at this time.")
	}
	return nil
}

// candidates asks the nodes of the pools.
func (c *Call) candidates(pools []db.PoolService, kind rpc.Kind) ([]manageableView, error) {
	ctx, cancel := context.WithTimeout(c.Context(), listPatience)
	defer cancel()
	var found []manageableView
	var ids []string
	for _, p := range pools {
		all, err := c.server.Nodes.Node(p.Service.Endpoint).Manageable(ctx, rpc.PoolOf(p.Name))
		if err != nil {
			return nil, silentNode(err, p)
		}
		for _, candidate := range all {
			if candidate.Kind == kind {
				found = append(found, manageableView{Candidate: candidate})
				ids = append(ids, candidate.ID)
			}
		}
	}
	managed, err := c.database().AlreadyManaged(c.Context(), ids)
	for i := range found {
		found[i].managed = managed[found[i].ID]
	}
	return found, err
}

// silentNode says of a failed call whose it was.
func silentNode(err error, p db.PoolService) error {
	if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout) {
		return fault.Wrap(err, fault.Unavailable, "The storage node of %s does not answer at this time.", p.Service.Host)
	}
	return err
}

// manageablePage reads limit, marker, offset and the order.
func (c *Call) manageablePage() (manageablePage, error) {
	p := manageablePage{marker: c.Query.Get("marker"), limit: c.server.MaxLimit}
	var err error
	if c.Query.Has("limit") {
		n, err := c.number("limit", math.MaxInt)
		if err != nil {
			return p, err
		}
		p.limit = min(n, p.limit)
	}
	if c.Query.Has("offset") {
		if p.offset, err = c.number("offset", math.MaxInt32); err != nil {
			return p, err
		}
	}
	p.sort, err = manageableSort(c.Query)
	return p, err
}
