package api

import (
	"strconv"

	"clinker/db"
)

// connectionOptions are what a volume and its type say of how it is to be used
// where it is attached: qos_specs, encrypted and cacheable of the connection
// info, beside what its node says and what the attachment asks for. They are
// what they are at the moment of the attachment; a later change of the type
// does not reach it.
func (c *Call) connectionOptions(v db.Volume) (map[string]any, error) {
	o, err := c.database().AttachOptions(c.Context(), v.VolumeTypeID)
	if err != nil {
		return nil, err
	}
	options := map[string]any{
		"encrypted": v.EncryptionKeyID != nil,
		"cacheable": specIsTrue(o.ExtraSpecs, "cacheable"),
		"qos_specs": nil,
	}
	if o.Consumer == db.ConsumerFrontEnd || o.Consumer == db.ConsumerBoth {
		options["qos_specs"] = frontEndQos(o.QosSpecs, v.SizeGiB)
	}
	return options, nil
}

// qosLimit is a limit that may be given per GiB of the volume's size.
type qosLimit string

var qosLimits = []qosLimit{"read_iops_sec", "read_bytes_sec", "write_iops_sec", "write_bytes_sec", "total_iops_sec", "total_bytes_sec"}

// keys are those that make up a limit per GiB: the limit, its least and its
// greatest value.
func (l qosLimit) keys() []string {
	return []string{string(l) + "_per_gb", string(l) + "_per_gb_min", string(l) + "_max"}
}

// frontEndQos gives the specs as the hypervisor takes them: limits per GiB are
// worked out for the size.
func frontEndQos(specs db.StringMap, sizeGiB int) map[string]string {
	told := specs.With(nil)
	for _, limit := range qosLimits {
		keys := limit.keys()
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
