package api

import "clinker/db"

// tenantSpecs are the extra specs that tenants see. The others tell about the
// storage behind.
var tenantSpecs = map[string]bool{
	"multiattach": true, "replication_enabled": true, "RESKEY:availability_zones": true,
}

// typeVisible is what a caller may see of types, asked once a request.
type typeVisible struct{ specs, sensitive, qos, access bool }

func (c *Call) typeVisible() typeVisible {
	return typeVisible{
		specs:     c.Can("volume_extension:access_types_extra_specs", c.caller()),
		sensitive: c.Can("volume_extension:types_extra_specs:read_sensitive", c.caller()),
		qos:       c.Can("volume_extension:access_types_qos_specs_id", c.caller()),
		access:    c.Can("volume_extension:volume_type_access", c.caller()),
	}
}

// typeFields has the fields of type (fields.tsv). extended adds the one that
// the answers to an update and to GET /types/default have not.
func typeFields(o object, t db.VolumeType, see typeVisible, extended bool) {
	o.str("id", t.ID)
	o.str("name", t.Name)
	o.bool("is_public", t.IsPublic)
	o.text("description", t.Description)
	if see.specs {
		o.strings("extra_specs", shownSpecs(t.ExtraSpecs, see.sensitive))
	}
	if see.qos {
		o.text("qos_specs_id", t.QosSpecsID)
	}
	if extended && see.access {
		o.bool("os-volume-type-access:is_public", t.IsPublic)
	}
}

// shownSpecs leaves out what tenants are not told.
func shownSpecs(specs db.StringMap, sensitive bool) map[string]string {
	if sensitive {
		return specs
	}
	shown := map[string]string{}
	for key, value := range specs {
		if tenantSpecs[key] {
			shown[key] = value
		}
	}
	return shown
}

// typeAnswer shows one type with all that the caller may see.
func (c *Call) typeAnswer(t db.VolumeType, extended bool) View {
	return typeView(t, c.typeVisible(), extended)
}

// writtenType answers who made or changed a type: without qos_specs_id, which
// Cinder's older view of these two has not and Tempest refuses.
func (c *Call) writtenType(t db.VolumeType, extended bool) View {
	see := c.typeVisible()
	see.qos = false
	return typeView(t, see, extended)
}

func typeView(t db.VolumeType, see typeVisible, extended bool) View {
	return func(o object) {
		o.object("volume_type", func(o object) { typeFields(o, t, see, extended) })
	}
}
