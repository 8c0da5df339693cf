package api

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"clinker/db"
)

// capability is one entry of a pool's capabilities: text, a number, a boolean,
// a time, or nil.
type capability struct {
	name  string
	value any
}

type capabilities []capability

const bytesPerGiB = 1 << 30

// capabilities are what Cinder's backends report of a pool, in GiB, and after
// it what the node says in its own words, which wins where both have a name.
// The four io_ figures are what the pool's disks did in the last minute: what
// the scheduler chooses by.
func (c *Call) capabilities(p db.PoolService) capabilities {
	all := capabilities{
		{"volume_backend_name", backendOf(p.Name)},
		{"pool_name", p.Name[strings.LastIndex(p.Name, "#")+1:]},
		{"vendor_name", "Clinker"},
		{"driver_version", p.Service.Version},
		{"storage_protocol", p.StorageProtocol},
		{"total_capacity_gb", inGiB(p.TotalBytes)},
		{"free_capacity_gb", inGiB(p.FreeBytes)},
		{"allocated_capacity_gb", inGiB(p.AllocatedBytes)},
		{"provisioned_capacity_gb", inGiB(p.AllocatedBytes + p.OtherBytes)},
		{"reserved_percentage", float64(p.ReservedPercentage)},
		{"max_over_subscription_ratio", p.MaxOverSubscriptionRatio},
		{"thin_provisioning_support", p.Thin},
		{"thick_provisioning_support", !p.Thin},
		{"total_volumes", float64(p.VolumeCount)},
		{"multiattach", false},
		{"QoS_support", false},
		{"location_info", nil},
		{"timestamp", p.PolledAt},
		{"filter_function", nil},
		{"goodness_function", nil},
		{"backend_state", c.backendState(p)},
		{"io_busy_share", p.IOBusyShare},
		{"io_operations_per_second", p.IOOperationsPerSecond},
		{"io_bytes_per_second", p.IOBytesPerSecond},
		{"io_mean_wait_ms", p.IOMeanWaitMS},
	}
	own := func(e capability) bool { _, has := p.Capabilities[e.name]; return has }
	all = slices.DeleteFunc(all, own)
	for _, name := range slices.Sorted(maps.Keys(p.Capabilities)) {
		all = append(all, capability{name, typed(p.Capabilities[name])})
	}
	return all
}

// typed reads the words for truth that a node writes as text.
func typed(text string) any {
	switch strings.ToLower(text) {
	case "true":
		return true
	case "false":
		return false
	}
	return text
}

// backendOf takes the backend out of host@backend#pool.
func backendOf(pool string) string {
	host, _, _ := strings.Cut(pool, "#")
	return host[strings.LastIndex(host, "@")+1:]
}

// inGiB gives whole bytes as GiB with two decimals.
func inGiB(bytes int64) float64 {
	return float64(bytes*100/bytesPerGiB) / 100
}

func (all capabilities) write(o object) {
	for _, e := range all {
		n := quoted(e.name)
		switch v := e.value.(type) {
		case string:
			o.str(n, v)
		case bool:
			o.bool(n, v)
		case float64:
			o.float(n, v)
		case time.Time:
			o.time(n, v)
		default:
			o.null(n)
		}
	}
}

func (all capabilities) text(name string) (string, bool) {
	for _, e := range all {
		if e.name != name {
			continue
		}
		if number, is := e.value.(float64); is {
			return strconv.FormatFloat(number, 'g', -1, 64), true
		}
		return fmt.Sprint(e.value), true
	}
	return "", false
}
