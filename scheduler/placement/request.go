package placement

import "strings"

// Request is what a volume needs of its pool.
type Request struct {
	SizeBytes         int64             // 0 for a volume that exists already (manage)
	AvailabilityZones []string          // any of these; empty: any zone
	ExtraSpecs        map[string]string // of the volume type
	BackEndQos        bool              // the type's QoS specs are for the storage alone to keep to
	UnkeptQos         string            // a key of these that no storage limits by
	BackupStore       string            // where the backup lies of which it is made; "" if it is of none
	ProvisioningThick bool              // also set by the extra spec provisioning:type=thick

	// SameHost and DifferentHost are the pools (host@backend#pool) of the
	// volumes that the hints same_host and different_host name. A volume
	// without a pool is an empty string: it is on no pool, so that a
	// same_host hint naming only such volumes is never fulfilled.
	SameHost      []string
	DifferentHost []string

	Exclude []string // pools tried already
}

// Thick tells whether the volume's bytes must be there in full.
func (r *Request) Thick() bool {
	return r.ProvisioningThick || strings.EqualFold(r.ExtraSpecs["provisioning:type"], "thick")
}
