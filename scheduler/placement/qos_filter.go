package placement

import "strings"

// QosFilter refuses pools that do not limit their volumes, where the type's QoS
// specs are for the storage alone to keep to. A promise that nobody keeps is
// better not made: see docs/adr. A pool limits them if its node reports the
// capability QoS_support.
func init() {
	filters["QosFilter"] = func(r *Request) check {
		wanted, unkept := r.BackEndQos, r.UnkeptQos
		return func(p *Pool) string {
			if !wanted {
				return ""
			}
			if unkept != "" {
				return "limits nothing by the key " + unkept + " of the type's QoS specs"
			}
			if has, _ := capability(p, "QoS_support"); truth(strings.ToLower(has)) {
				return ""
			}
			return "has no QoS_support, and the QoS specs of the type are for the storage to keep to"
		}
	}
	hints["QosFilter"] = "The QoS specs of the volume type have the consumer back-end, and the storage here limits no volumes, or not by these keys; with the consumer front-end the compute hosts would."
}
