package placement

import (
	"strconv"
	"strings"
)

const gib = 1 << 30

// capability gives a capability of the pool as text: what the node reported, or
// one of the figures that Cinder keeps among a pool's capabilities (sizes in
// GiB, as everywhere in Cinder's API).
func capability(p *Pool, name string) (value string, known bool) {
	if value, known = p.Capabilities[name]; known {
		return value, true
	}
	switch name {
	case "pool_name":
		return p.Name[strings.LastIndex(p.Name, "#")+1:], true // without its backend, as in get_pools
	case "storage_protocol":
		return p.StorageProtocol, true
	case "total_capacity_gb":
		return inGiB(p.TotalBytes), true
	case "free_capacity_gb":
		return inGiB(p.FreeBytes), true
	case "allocated_capacity_gb":
		return inGiB(p.AllocatedBytes), true
	case "provisioned_capacity_gb":
		return inGiB(p.AllocatedBytes + p.OtherBytes), true
	case "total_volumes":
		return strconv.Itoa(p.Volumes), true
	case "reserved_percentage":
		return strconv.Itoa(p.ReservedPercentage), true
	case "max_over_subscription_ratio":
		return strconv.FormatFloat(p.MaxOverSubscriptionRatio, 'g', -1, 64), true
	case "thin_provisioning_support":
		return strconv.FormatBool(p.Thin), true
	case "thick_provisioning_support":
		return strconv.FormatBool(p.Thick), true
	}
	return "", false
}

func inGiB(bytes int64) string {
	return strconv.FormatFloat(float64(bytes)/gib, 'f', 2, 64)
}
