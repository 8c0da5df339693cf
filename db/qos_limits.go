package db

import (
	"maps"
	"slices"
	"strconv"
)

// IOLimits are what a volume is limited to in a second; 0 is no limit.
type IOLimits struct {
	ReadBytesSec, WriteBytesSec, ReadIopsSec, WriteIopsSec int64
}

// qosLimit is a limit as Cinder names it; it may be given per GiB of the volume's
// size.
type qosLimit string

var qosLimits = []qosLimit{"read_iops_sec", "read_bytes_sec", "write_iops_sec", "write_bytes_sec", "total_iops_sec", "total_bytes_sec"}

// perGiBKeys are those that make up a limit per GiB: the limit, its least and its
// greatest value.
func (l qosLimit) perGiBKeys() []string {
	return []string{string(l) + "_per_gb", string(l) + "_per_gb_min", string(l) + "_max"}
}

// QosKeysPerGiB gives the keys that make up limits per GiB.
func QosKeysPerGiB() (keys []string) {
	for _, limit := range qosLimits {
		keys = append(keys, limit.perGiBKeys()...)
	}
	return keys
}

// QosForSize gives QoS specs as a hypervisor takes them: limits per GiB are worked
// out for the volume's size.
func QosForSize(specs StringMap, sizeGiB int) StringMap {
	told := specs.With(nil)
	for _, limit := range qosLimits {
		keys := limit.perGiBKeys()
		perGiB, err := strconv.ParseInt(told[keys[0]], 10, 64)
		if err != nil {
			continue // not given per GiB: _max then belongs to the limit itself, as a burst
		}
		value := perGiB * int64(sizeGiB)
		if least, err := strconv.ParseInt(told[keys[1]], 10, 64); err == nil {
			value = max(value, least)
		}
		if most, err := strconv.ParseInt(told[keys[2]], 10, 64); err == nil {
			value = min(value, most)
		}
		for _, key := range keys {
			delete(told, key)
		}
		told[string(limit)] = strconv.FormatInt(value, 10)
	}
	return told
}

// Limits gives what the storage is to limit a volume of that size to: nothing when
// the specs are for the hypervisor alone. The kernel has no limit of reads and
// writes together: a total bounds each of them, so that together they reach at most
// twice the total.
func (o AttachOptions) Limits(sizeGiB int) IOLimits {
	if o.Consumer != ConsumerBackEnd && o.Consumer != ConsumerBoth {
		return IOLimits{}
	}
	told := QosForSize(o.QosSpecs, sizeGiB)
	return IOLimits{
		ReadBytesSec:  least(told, "read_bytes_sec", "total_bytes_sec"),
		WriteBytesSec: least(told, "write_bytes_sec", "total_bytes_sec"),
		ReadIopsSec:   least(told, "read_iops_sec", "total_iops_sec"),
		WriteIopsSec:  least(told, "write_iops_sec", "total_iops_sec"),
	}
}

// least gives the smallest limit among keys, 0 when none is one.
func least(specs StringMap, keys ...string) (limit int64) {
	for _, key := range keys {
		value, err := strconv.ParseInt(specs[key], 10, 64)
		if err == nil && value > 0 && (limit == 0 || value < limit) {
			limit = value
		}
	}
	return limit
}

// UnkeptQos gives the first key of back-end QoS specs that no storage of Clinker's
// limits by: another maker's word, or no number of at least 0. "" when there is none.
func (s TypeSpecs) UnkeptQos() string {
	for _, key := range slices.Sorted(maps.Keys(s.BackEndQos)) {
		value, err := strconv.ParseInt(s.BackEndQos[key], 10, 64)
		if err != nil || value < 0 || !isQosKey(key) {
			return key
		}
	}
	return ""
}

func isQosKey(key string) bool {
	return slices.ContainsFunc(qosLimits, func(l qosLimit) bool { return key == string(l) || slices.Contains(l.perGiBKeys(), key) })
}
