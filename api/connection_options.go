package api

import (
	"clinker/db"
	"clinker/volumed/rpc"
)

// connectionOptions are what a volume and its type say of how it is to be used
// where it is attached: qos_specs, encrypted and cacheable of the connection
// info, beside what its node says and what the attachment asks for. They are
// what they are at the moment of the attachment; a later change of the type
// does not reach it. The limits are those for the node to keep to.
func (c *Call) connectionOptions(v db.Volume) (map[string]any, rpc.Limits, error) {
	o, err := c.database().AttachOptions(c.Context(), v.VolumeTypeID)
	if err != nil {
		return nil, rpc.Limits{}, err
	}
	options := map[string]any{
		"encrypted": v.EncryptionKeyID != nil,
		"cacheable": o.ExtraSpecs.IsTrue("cacheable"),
		"qos_specs": nil,
	}
	if o.Consumer == db.ConsumerFrontEnd || o.Consumer == db.ConsumerBoth {
		options["qos_specs"] = db.QosForSize(o.QosSpecs, v.SizeGiB)
	}
	return options, rpc.Limits(o.Limits(v.SizeGiB)), nil
}
