package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.migrate_volume", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-migrate_volume", Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume_extension:volume_admin_actions:migrate_volume"}, Object: true, Handler: s.migrateVolume}}
	})
}

// notMigrated lists Cinder's conditions in Cinder's one sentence; ours says behind
// it which one.
const notMigrated = "Invalid volume: Volume %s status must be available or in-use, must not be migrating, have snapshots, be replicated, be part of a group and destination host/cluster must be different than the current one: %s."

// migrateVolume begins to move a volume to another pool. Whether that one has room
// and serves the volume's type, the scheduler finds out before any byte moves.
// force_host_copy asks for what is done anyway.
func (s *Server) migrateVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Migrate struct {
			Host    string  `json:"host"`
			Cluster string  `json:"cluster"`
			Lock    boolish `json:"lock_volume"`
		} `json:"os-migrate_volume"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := c.destination(in.Migrate.Host, in.Migrate.Cluster); err != nil {
		return nil, err
	}
	err = c.tx(func(tx *db.Tx) error {
		why, err := s.cannotSwap(c, tx, v)
		if err == nil && why != "" {
			err = fault.New(fault.Conflict, "%s", why)
		}
		if err != nil {
			return err
		}
		return tx.BeginMigrate(c.Context(), v.ID, in.Migrate.Host, bool(in.Migrate.Lock), c.RequestID)
	})
	if fault.Is(err, fault.Conflict) {
		err = fault.Wrap(err, fault.Invalid, notMigrated, v.ID, strings.TrimSuffix(fault.MessageOf(err), "."))
	}
	return nil, err
}

// destination wants a backend that is up and enabled.
func (c *Call) destination(host, cluster string) error {
	const withClusters Version = 16
	switch {
	case c.Since(withClusters) && (host == "") == (cluster == ""):
		return fault.New(fault.Invalid, "Invalid input received: One and only one of cluster and host must be set.")
	case !c.Since(withClusters) && host == "":
		return fault.New(fault.Invalid, "Invalid input received: Host field is missing.")
	}
	none := fault.New(fault.Invalid, "Invalid host: No available service named '%s'", host+cluster)
	if host == "" {
		return none // there are no clusters
	}
	backend, _, _ := strings.Cut(host, "#")
	found, err := c.database().Services(c.Context(), backend, db.DaemonVolume)
	now := time.Now()
	if err == nil && !slices.ContainsFunc(found, func(v db.Service) bool {
		return v.Host == backend && !v.Disabled && v.Up(now, c.server.ServiceDownTime)
	}) {
		err = none
	}
	return err
}

// cannotSwap says why a volume that is attached cannot be moved, "" when it is not
// attached or Nova can do it: only who has a volume open can bring over what is
// written meanwhile.
func (s *Server) cannotSwap(c *Call, tx *db.Tx, v db.Volume) (string, error) {
	attachments, err := tx.AttachmentsIn(c.Context(), v.ID)
	switch {
	case err != nil:
		return "", err
	case len(attachments) == 0 && v.Status == "in-use":
		return "it was detached meanwhile", nil
	case len(attachments) == 0:
		return "", nil
	}
	if !s.SwapsVolumes {
		return "it is attached, and there is no compute service that could move it", nil
	}
	return "", nil
}
