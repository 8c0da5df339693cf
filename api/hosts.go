package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(hostRoutes) }

// hostRoutes are /os-hosts, the older face of services.
func hostRoutes(s *Server) []Route {
	const items, item = "/os-hosts", "/os-hosts/:host"
	rules := []string{"volume_extension:hosts"}
	return []Route{
		{Name: "hosts.list", Method: "GET", Path: items, Status: http.StatusOK, Policy: rules, Handler: s.listHosts},
		{Name: "hosts.show", Method: "GET", Path: item, Status: http.StatusOK, Policy: rules, Handler: s.showHost},
		{Name: "hosts.update", Method: "PUT", Path: item, Status: http.StatusOK, Policy: rules, Handler: s.updateHost},
		{Name: "hosts.update_collection", Method: "PUT", Path: items, Status: http.StatusBadRequest, Policy: rules, BodyOptional: true,
			Handler: func(*Call) (View, error) {
				return nil, fault.New(fault.Invalid, "The host must be named in the path: PUT /os-hosts/{host}.")
			}},
	}
}

func (s *Server) listHosts(c *Call) (View, error) {
	found, err := c.database().Services(c.Context(), "", "")
	if err != nil {
		return nil, err
	}
	zone := c.Query.Get("zone")
	found = slices.DeleteFunc(found, func(v db.Service) bool { return v.Disabled || zone != "" && v.AvailabilityZone != zone })
	now := time.Now()
	return func(o object) {
		objects(o, "hosts", found, func(o object, v db.Service) {
			o.str("host_name", v.Host)
			o.str("service", v.Daemon)
			o.str("zone", v.AvailabilityZone)
			status := "unavailable"
			if v.Up(now, s.ServiceDownTime) {
				status = "available"
			}
			o.str("service-status", status)
			o.str("service-state", serviceStatus(v.Disabled))
			o.time("last-update", v.HeartbeatAt)
		})
	}, nil
}

// host finds the backend that the path names.
func (c *Call) host() (db.Service, error) {
	name := c.Param("host")
	found, err := c.database().Services(c.Context(), name, db.DaemonVolume)
	i := slices.IndexFunc(found, func(v db.Service) bool { return v.Host == name })
	if err != nil || i < 0 {
		if err == nil {
			err = fault.New(fault.NotFound, "Host %s could not be found.", name)
		}
		return db.Service{}, err
	}
	return found[i], nil
}

// showHost sums up what is on a backend, and then what each project has of it.
// Its numbers are texts.
func (s *Server) showHost(c *Call) (View, error) {
	service, err := c.host()
	if err != nil {
		return nil, err
	}
	uses, err := c.database().HostUse(c.Context(), service.ID)
	if err != nil {
		return nil, err
	}
	total := db.HostUse{ProjectID: "(total)"}
	for _, u := range uses {
		total.Volumes, total.VolumesGiB = total.Volumes+u.Volumes, total.VolumesGiB+u.VolumesGiB
		total.Snapshots, total.SnapshotsGiB = total.Snapshots+u.Snapshots, total.SnapshotsGiB+u.SnapshotsGiB
	}
	return func(o object) {
		objects(o, "host", append([]db.HostUse{total}, uses...), func(o object, u db.HostUse) {
			o.object("resource", func(o object) {
				o.str("host", service.Host)
				o.str("project", u.ProjectID)
				o.str("volume_count", itoa(u.Volumes))
				o.str("total_volume_gb", itoa(u.VolumesGiB))
				o.str("snapshot_count", itoa(u.Snapshots))
				o.str("total_snapshot_gb", itoa(u.SnapshotsGiB))
			})
		})
	}, nil
}

// updateHost enables or disables a backend, which Cinder announces and does not do.
func (s *Server) updateHost(c *Call) (View, error) {
	service, err := c.host()
	if err != nil {
		return nil, err
	}
	var in map[string]json.RawMessage
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	status := ""
	for key, raw := range in {
		if strings.ToLower(strings.TrimSpace(key)) != "status" {
			return nil, fault.New(fault.Invalid, "Invalid update setting: '%s'", key)
		}
		_ = json.Unmarshal(raw, &status) // text or not, it is looked at below
		if status = strings.ToLower(strings.TrimSpace(status)); status != "enable" && status != "disable" {
			return nil, fault.New(fault.Invalid, "Invalid status: '%s'", strings.Trim(string(raw), `"`))
		}
	}
	if status == "" {
		return nil, fault.New(fault.Invalid, "The only setting of a host is its status: enable or disable.")
	}
	set := map[string]any{"disabled": status == "disable"}
	if status == "enable" {
		set["disabled_reason"] = nil
	}
	err = c.tx(func(tx *db.Tx) error {
		_, err := tx.SetService(c.Context(), service.Host, db.DaemonVolume, set)
		return err
	})
	return func(o object) {
		o.str("host", service.Host)
		o.str("status", status+"d")
	}, err
}
