package placement

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CapabilitiesFilter refuses pools whose capabilities do not match the extra
// specs of the volume type. A key is a capability's name, bare or after
// "capabilities:"; keys of any other scope (provisioning:type, quota:…) are
// somebody else's and pass. See spec.go for the values.
func init() {
	filters["CapabilitiesFilter"] = func(r *Request) check {
		wanted := requirements(r.ExtraSpecs)
		return func(p *Pool) string {
			for _, w := range wanted {
				if reason := w.refuses(p); reason != "" {
					return reason
				}
			}
			return ""
		}
	}
}

// requirement is one extra spec that concerns capabilities.
type requirement struct {
	capability string
	text       string // the value as the administrator wrote it
	spec       spec
}

// requirements parses the specs once per request, in the order of their keys.
func requirements(specs map[string]string) []requirement {
	var all []requirement
	for _, key := range slices.Sorted(maps.Keys(specs)) {
		name, scoped := strings.CutPrefix(key, "capabilities:")
		if !scoped && strings.Contains(key, ":") {
			continue
		}
		all = append(all, requirement{capability: name, text: specs[key], spec: parseSpec(specs[key])})
	}
	return all
}

func (w requirement) refuses(p *Pool) string {
	has, known := capability(p, w.capability)
	if !known {
		return fmt.Sprintf("has no capability %s, which must be %q", w.capability, w.text)
	}
	if !w.spec.matches(has) {
		return fmt.Sprintf("%s is %q, and must be %q", w.capability, has, w.text)
	}
	return ""
}
