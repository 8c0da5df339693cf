package api

import (
	"net/http"
	"slices"

	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{
			{Name: "extensions.list", Method: "GET", Path: "/extensions", Status: http.StatusOK, Handler: s.listExtensions},
			{Name: "extensions.show", Method: "GET", Path: "/extensions/:alias", Status: http.StatusOK, Handler: s.showExtension},
		}
	})
}

// extension is one of the parts that Cinder once added to a smaller API, and by
// whose alias clients still ask whether a part is there. It is announced when
// the operation it is known by is.
type extension struct{ alias, name, updated, operation, description string }

var extensions = []extension{
	{"OS-SCH-HNT", "SchedulerHints", "2013-04-18T00:00:00+00:00", "volumes.create", "Hints to the scheduler with a new volume."},
	{"backups", "Backups", "2012-12-12T00:00:00+00:00", "backups.create", "Backups of volumes."},
	{"capabilities", "Capabilities", "2015-08-31T00:00:00+00:00", "capabilities.show", "What a backend can do."},
	{"cgsnapshots", "Cgsnapshots", "2014-08-18T00:00:00+00:00", "cgsnapshots.create", "Snapshots of consistency groups."},
	{"consistencygroups", "Consistencygroups", "2014-08-18T00:00:00+00:00", "consistencygroups.create", "Consistency groups."},
	{"encryption", "VolumeTypeEncryption", "2013-07-01T00:00:00+00:00", "type_encryption.create", "Encryption of volume types."},
	{"os-admin-actions", "AdminActions", "2012-08-25T00:00:00+00:00", "volume_actions.reset_status", "What administrators do to volumes, snapshots and backups."},
	{"os-availability-zone", "AvailabilityZones", "2013-06-27T00:00:00+00:00", "availability_zones.list", "Availability zones."},
	{"os-extended-services", "ExtendedServices", "2014-01-10T00:00:00-00:00", "services.disable_log_reason", "Why a service was disabled."},
	{"os-extended-snapshot-attributes", "ExtendedSnapshotAttributes", "2012-06-19T00:00:00+00:00", "snapshots.show", "Project and progress of snapshots."},
	{"os-hosts", "Hosts", "2011-06-29T00:00:00+00:00", "hosts.list", "Hosts."},
	{"os-quota-class-sets", "QuotaClasses", "2012-03-12T00:00:00+00:00", "quota_classes.show", "Quota classes."},
	{"os-quota-sets", "Quotas", "2011-08-08T00:00:00+00:00", "quotas.show", "Quotas of projects."},
	{"os-services", "Services", "2012-10-28T00:00:00-00:00", "services.list", "Services."},
	{"os-snapshot-actions", "SnapshotActions", "2013-07-16T00:00:00+00:00", "snapshot_actions.update_snapshot_status", "The status of snapshots that a compute service makes."},
	{"os-snapshot-manage", "SnapshotManage", "2014-12-31T00:00:00+00:00", "os_snapshot_manage.create", "Taking snapshots under management."},
	{"os-snapshot-unmanage", "SnapshotUnmanage", "2014-12-31T00:00:00+00:00", "snapshot_actions.unmanage", "Letting snapshots go from management."},
	{"os-types-extra-specs", "TypesExtraSpecs", "2011-08-24T00:00:00+00:00", "type_extra_specs.list", "Extra specs of volume types."},
	{"os-types-manage", "TypesManage", "2011-08-24T00:00:00+00:00", "types.create", "Making and changing volume types."},
	{"os-used-limits", "UsedLimits", "2013-10-03T00:00:00+00:00", "limits.show", "How much of the limits is used."},
	{"os-vol-host-attr", "VolumeHostAttribute", "2011-11-03T00:00:00+00:00", "volumes.show", "The pool that a volume is on."},
	{"os-vol-image-meta", "VolumeImageMetadata", "2012-12-07T00:00:00+00:00", "volumes.show", "What is known of the image a volume was made from."},
	{"os-vol-mig-status-attr", "VolumeMigStatusAttribute", "2013-08-08T00:00:00+00:00", "volumes.show", "A volume's migration."},
	{"os-vol-tenant-attr", "VolumeTenantAttribute", "2011-11-03T00:00:00+00:00", "volumes.show", "The project of a volume."},
	{"os-volume-actions", "VolumeActions", "2012-05-31T00:00:00+00:00", "volume_actions.extend", "What is done to volumes."},
	{"os-volume-encryption-metadata", "VolumeEncryptionMetadata", "2013-07-10T00:00:00+00:00", "volume_encryption.show", "How a volume is encrypted."},
	{"os-volume-manage", "VolumeManage", "2014-02-10T00:00:00+00:00", "os_volume_manage.create", "Taking volumes under management."},
	{"os-volume-transfer", "VolumeTransfer", "2013-05-29T00:00:00+00:00", "os_transfers.create", "Transfers of volumes between projects."},
	{"os-volume-type-access", "VolumeTypeAccess", "2014-06-26T00:00:00Z", "type_access.add", "Which projects may use a private volume type."},
	{"os-volume-unmanage", "VolumeUnmanage", "2012-05-31T00:00:00+00:00", "volume_actions.unmanage", "Letting volumes go from management."},
	{"qos-specs", "Qos_specs_manage", "2013-08-02T00:00:00+00:00", "qos.create", "QoS specs."},
	{"scheduler-stats", "Scheduler_stats", "2014-09-07T00:00:00+00:00", "pools.list", "Figures of the pools."},
}

// announced are the extensions whose operation is in the route table.
func (s *Server) announced() []extension {
	return slices.DeleteFunc(slices.Clone(extensions), func(e extension) bool {
		return !slices.ContainsFunc(s.routes, func(r Route) bool { return r.Name == e.operation })
	})
}

func extensionFields(o object, e extension) {
	o.str("name", e.name)
	o.str("alias", e.alias)
	o.str("description", e.description)
	o.str("updated", e.updated)
	o.list("links", nil)
}

func (s *Server) listExtensions(*Call) (View, error) {
	return func(o object) { objects(o, "extensions", s.announced(), extensionFields) }, nil
}

func (s *Server) showExtension(c *Call) (View, error) {
	all := s.announced()
	i := slices.IndexFunc(all, func(e extension) bool { return e.alias == c.Param("alias") })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "The resource could not be found.")
	}
	return func(o object) {
		o.object("extension", func(o object) { extensionFields(o, all[i]) })
	}, nil
}
