package api

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() { register(manageableVolumeRoutes) }

// manageableVolumeRoutes are /manageable_volumes and its older face.
func manageableVolumeRoutes(s *Server) []Route {
	list, manage := []string{"volume_extension:list_manageable"}, []string{"volume_extension:volume_manage"}
	var all []Route
	for _, face := range []struct {
		name, path string
		since      Version
	}{{"manageable_volumes", "/manageable_volumes", 8}, {"os_volume_manage", "/os-volume-manage", 0}} {
		all = append(all,
			Route{Name: face.name + ".list", Method: "GET", Path: face.path, Since: face.since, Status: http.StatusOK,
				Policy: list, Handler: s.listManageable("manageable-volumes", rpc.KindVolume, manageableView.summary)},
			Route{Name: face.name + ".detail", Method: "GET", Path: face.path + "/detail", Since: face.since, Status: http.StatusOK,
				Policy: list, Handler: s.listManageable("manageable-volumes", rpc.KindVolume, manageableView.detail)},
			Route{Name: face.name + ".create", Method: "POST", Path: face.path, Since: face.since, Status: http.StatusAccepted,
				Policy: manage, Handler: s.manageVolume})
	}
	return all
}

// manageRequest is the body of manageable_volumes.create.
type manageRequest struct {
	Volume struct {
		Host        string            `json:"host"`
		Cluster     string            `json:"cluster"`
		Ref         json.RawMessage   `json:"ref"`
		Name        *trimmed          `json:"name"`
		Description *trimmed          `json:"description"`
		VolumeType  string            `json:"volume_type"`
		Zone        string            `json:"availability_zone"`
		Metadata    map[string]string `json:"metadata"`
		Bootable    boolish           `json:"bootable"`
	} `json:"volume"`
}

// manageVolume makes a volume of what lies in a pool. Whether there is such a
// thing and how large it is the job finds out.
func (s *Server) manageVolume(c *Call) (View, error) {
	var in manageRequest
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	source, err := c.sourceName(in.Volume.Ref)
	if err != nil {
		return nil, err
	}
	pool, err := c.managePool(in)
	if err != nil {
		return nil, err
	}
	kind, err := c.manageType(in.Volume.VolumeType, pool)
	if err != nil {
		return nil, err
	}
	if zone := in.Volume.Zone; zone != "" && zone != pool.AvailabilityZone {
		return nil, invalidZone(zone)
	}
	v := db.Volume{
		ID: uuid.NewString(), ProjectID: c.Identity.ProjectID, UserID: c.Identity.UserID,
		Name: in.Volume.Name.optional(), Description: in.Volume.Description.optional(),
		VolumeTypeID: kind.ID, AvailabilityZone: pool.AvailabilityZone, Host: &pool.Name, ServiceID: &pool.ServiceID,
		Metadata: in.Volume.Metadata, Bootable: bool(in.Volume.Bootable),
		Multiattach: kind.ExtraSpecs.IsTrue("multiattach"), RequestID: c.RequestID,
	}
	err = c.tx(func(tx *db.Tx) error { return tx.InsertManaged(c.Context(), &v, pool.ID, source, s.Limits) })
	if err != nil {
		return nil, err
	}
	old := *c
	old.Version = MinVersion // as Cinder, whatever the request's
	return old.volumeAnswer(volumeView{Volume: v}, false), nil
}

// sourceName reads a reference: an object with a source-name, or that name
// itself. One that is managed already is refused.
func (c *Call) sourceName(raw json.RawMessage) (string, error) {
	var reference map[string]any
	var source string
	if json.Unmarshal(raw, &source) != nil {
		_ = json.Unmarshal(raw, &reference) // what it is the schema has said
		source, _ = reference["source-name"].(string)
	}
	if source == "" {
		return "", fault.New(fault.Invalid, "Invalid input received: ref: Reference must contain source-name element.")
	}
	id := strings.TrimPrefix(strings.TrimPrefix(source, "volume-"), "_snapshot-")
	managed, err := c.database().AlreadyManaged(c.Context(), []string{id})
	if err == nil && id != source && managed[id] {
		err = fault.New(fault.Invalid, "Invalid volume: Unable to manage existing volume. The volume is already managed")
	}
	return source, err
}

// managePool finds where it is to be managed: the pool named, or the backend's
// only one.
func (c *Call) managePool(in manageRequest) (db.PoolService, error) {
	const withClusters Version = 16
	pools, err := c.poolsAsked(in.Volume.Host, in.Volume.Cluster, withClusters)
	if fault.Is(err, fault.NotFound) {
		what, which := "Host", in.Volume.Host
		if which == "" {
			what, which = "Cluster", in.Volume.Cluster
		}
		return db.PoolService{}, fault.Wrap(err, fault.Invalid, "%s '%s' not found", what, which)
	}
	if err != nil {
		return db.PoolService{}, err
	}
	if len(pools) > 1 {
		return db.PoolService{}, fault.New(fault.Invalid, "Invalid input received: host: %s has %d pools; name one of them as host@backend#pool.", in.Volume.Host, len(pools))
	}
	return pools[0], nil
}

// manageType finds the type, which must be one that the pool serves.
func (c *Call) manageType(name string, pool db.PoolService) (db.VolumeType, error) {
	kind, err := c.typeForCreate(name)
	if name != "" && fault.Is(err, fault.NotFound) {
		return kind, fault.Wrap(err, fault.Invalid, "Invalid volume type: Cannot find requested '%s' volume type", name)
	}
	if err != nil {
		return kind, err
	}
	encrypted, err := c.database().TypeEncryption(c.Context(), kind.ID)
	if err == nil && encrypted != nil {
		err = fault.New(fault.Invalid, "Invalid volume type: Managing to an encrypted volume type is not supported.")
	}
	if err == nil && c.server.Serves != nil && !c.server.Serves(kind.ExtraSpecs, pool) {
		err = fault.New(fault.Invalid, "Invalid volume type: The pool %s does not serve volumes of type %s.", pool.Name, kind.Name)
	}
	return kind, err
}
