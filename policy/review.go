package policy

import (
	"maps"
	"slices"
	"strings"

	"clinker/internal/fault"
	"clinker/internal/nearest"
)

// findCycle refuses rules that lead back to themselves.
func (e *ruleSet) findCycle(o Options) error {
	done := map[*rule]bool{}
	for _, name := range slices.Sorted(maps.Keys(e.rules)) {
		r := e.rules[name]
		if path := cycle(r, nil, done); path != nil {
			return place(o, r, fault.New(fault.Invalid, "the rule leads back to itself: %s", strings.Join(path, " → ")))
		}
	}
	return nil
}

// cycle walks what a rule refers to and gives the way back to a rule that is
// already on the path, nil when there is none.
func cycle(r *rule, path []string, done map[*rule]bool) []string {
	if i := slices.Index(path, r.name); i >= 0 {
		return append(slices.Clone(path[i:]), r.name)
	}
	if done[r] {
		return nil
	}
	var found []string
	r.root.references(func(next *rule) {
		if found == nil {
			found = cycle(next, append(path, r.name), done)
		}
	})
	done[r] = true
	return found
}

// references calls f for each rule a check refers to.
func (n *node) references(f func(*rule)) {
	if n.op == opRule {
		f(n.rule)
	}
	for i := range n.kids {
		n.kids[i].references(f)
	}
}

// review warns of overrides that change nothing, and of checks that never hold.
func (e *ruleSet) review(o Options, overrides []rule) []Warning {
	used := map[string]bool{}
	for _, d := range registered {
		used[d.Name] = true
		used[d.Old] = true
	}
	for _, r := range e.rules {
		r.root.references(func(next *rule) {
			if next != r {
				used[next.name] = true
			}
		})
	}
	var warnings []Warning
	for i := range overrides {
		r := &overrides[i]
		warn := func(message string) { warnings = append(warnings, Warning{o.File, r.line, r.name, message}) }
		if !used[r.name] {
			warn("guards nothing: Cinder has no such rule and no other rule refers to it" + e.suggestDefault(r.name))
		}
		for _, old := range registered {
			if old.Old == r.name && r.name != old.Name {
				warn("is an old name; it counts for the rules that came of it, such as " + old.Name)
				break
			}
		}
		r.root.unknown(func(n *node) {
			message := "compares " + n.name + ", which is not known of a caller, so that check never holds"
			if best := nearest.To(n.name, kinds()); best != "" {
				message += "; did you mean " + best + "?"
			}
			warn(message)
		})
		r.root.strange(func(field string) {
			warn("compares with %(" + field + ")s, which is not known of what is acted upon (project_id and user_id are), so that check never holds")
		})
	}
	return warnings
}

// suggestDefault names the rule of Cinder's that was meant.
func (e *ruleSet) suggestDefault(name string) string {
	if best := nearest.To(name, e.names); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

// unknown calls f for each check of an attribute that callers do not have.
func (n *node) unknown(f func(*node)) {
	if n.op == opAttribute && n.attr == attrUnknown {
		f(n)
	}
	for i := range n.kids {
		n.kids[i].unknown(f)
	}
}

// strange calls f for each field of a target in a check that no request gives.
func (n *node) strange(f func(field string)) {
	for i := range n.want {
		switch n.want[i].field {
		case "", "project_id", "tenant_id", "user_id", "domain_id":
		default:
			f(n.want[i].field)
		}
	}
	for i := range n.kids {
		n.kids[i].strange(f)
	}
}

// kinds lists the words that may stand before a colon.
func kinds() []string {
	return append(slices.Collect(maps.Keys(attributes)), "role", "rule")
}
