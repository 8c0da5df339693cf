package db

import (
	"context"
	"time"
)

// Service is a row of services: a scheduler, an API, or one backend of a
// storage node.
type Service struct {
	ID                string
	Host              string // host, or host@backend for a backend
	Daemon            string // Cinder's binary: cinder-volume, cinder-scheduler
	AvailabilityZone  string
	Disabled          bool
	DisabledReason    *string
	Frozen            bool
	ReplicationStatus string
	ActiveBackendID   *string
	Endpoint          string  // where the node's Thrift service is; "" for others
	NodeUUID          *string // of a node; of a scheduler, the id of its River client
	Version           string
	HeartbeatAt       time.Time
	PolledAt          *time.Time // when a scheduler last took it upon itself to poll the node
	CreatedAt         time.Time
	UpdatedAt         *time.Time `gorm:"autoUpdateTime:false"`

	BackupDriver    string // of the store that a cinder-backup service reaches: posix, s3
	BackupStore     string // that store's own id
	BackupContainer string // where backups go that name no container

	Number    int64     `gorm:"->"` // for clients that know services by numbers
	LogLevels StringMap `gorm:"->"` // what its process logs; of schedulers only
}

// The daemons, under Cinder's names.
const (
	DaemonVolume    = "cinder-volume"
	DaemonScheduler = "cinder-scheduler"
	DaemonBackup    = "cinder-backup"
)

// OnNode tells whether the service is one of a storage node: a backend, or its
// backups.
func (s Service) OnNode() bool { return s.Daemon == DaemonVolume || s.Daemon == DaemonBackup }

// Up tells whether the service was heard of within downTime.
func (s Service) Up(now time.Time, downTime time.Duration) bool {
	return now.Sub(s.HeartbeatAt) <= downTime
}

// Services lists all services by host and daemon; a filter that is empty lets
// all pass. host may be a host alone or host@backend.
func (d *DB) Services(ctx context.Context, host, daemon string) ([]Service, error) {
	var services []Service
	g := d.gorm.WithContext(ctx).Order("daemon, host")
	if host != "" {
		g = g.Where("host = ? OR starts_with(host, ?)", host, host+"@")
	}
	if daemon != "" {
		g = g.Where("daemon = ?", daemon)
	}
	return services, g.Find(&services).Error
}

// Heartbeat records that a service lives, and makes its row the first time.
// The zone, endpoint and version follow what it says; what an administrator
// set (disabled, frozen) stays. It gives the row's id. May be repeated.
func (d *DB) Heartbeat(ctx context.Context, s Service) (id string, err error) {
	err = d.pool.QueryRow(ctx, `INSERT INTO services AS s
		(id, host, daemon, availability_zone, endpoint, node_uuid, version, backup_driver, backup_store, backup_container)
		VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (host, daemon) DO UPDATE SET availability_zone = EXCLUDED.availability_zone,
			endpoint = EXCLUDED.endpoint, node_uuid = EXCLUDED.node_uuid, version = EXCLUDED.version,
			backup_driver = EXCLUDED.backup_driver, backup_store = EXCLUDED.backup_store, backup_container = EXCLUDED.backup_container,
			polled_at = CASE WHEN s.endpoint = EXCLUDED.endpoint THEN s.polled_at END,
			heartbeat_at = now(), updated_at = now()
		RETURNING id`, s.Host, s.Daemon, s.AvailabilityZone, s.Endpoint, s.NodeUUID, s.Version,
		s.BackupDriver, s.BackupStore, s.BackupContainer).Scan(&id)
	return id, err
}

// SetService writes an administrator's columns (disabled, disabled_reason,
// frozen …) of the services with that host and daemon; false when there is none.
func (t *Tx) SetService(ctx context.Context, host, daemon string, set map[string]any) (bool, error) {
	set["updated_at"] = t.gorm.NowFunc()
	result := t.gorm.Model(&Service{}).Where("host = ? AND daemon = ?", host, daemon).Updates(set)
	return result.RowsAffected > 0, result.Error
}

// Zone is an availability zone, with whether any service in it is enabled.
type Zone struct {
	Name      string
	Available bool
}

// Zones lists the zones of all storage nodes' backends.
func (d *DB) Zones(ctx context.Context) ([]Zone, error) {
	var zones []Zone
	return zones, d.gorm.WithContext(ctx).Raw(`SELECT availability_zone AS name, bool_or(NOT disabled) AS available
		FROM services WHERE daemon = ? GROUP BY availability_zone ORDER BY availability_zone`, DaemonVolume).Scan(&zones).Error
}
