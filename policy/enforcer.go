package policy

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"clinker/internal/fault"
	"clinker/internal/nearest"
)

// Options say which rules hold.
type Options struct {
	File               string // the operator's rules; "" or a missing file for none
	EnforceNewDefaults bool   // false lets the older defaults pass too
}

// Enforcer answers whether a caller may do something. Only Reload changes which
// rules hold, all of them at once.
type Enforcer struct {
	options Options
	current atomic.Pointer[ruleSet]
	file    watched
}

// ruleSet are the rules that hold. Nothing in it changes once it is built.
type ruleSet struct {
	rules map[string]*rule
	names []string // of the rules that guard something, in the order of Defaults
}

// New puts the operator's rules over the defaults. The error, an Invalid
// fault, names file, line and rule.
func New(o Options) (*Enforcer, []Warning, error) {
	e := &Enforcer{options: o}
	e.file.loaded = look(o.File)
	set, warnings, err := assemble(o)
	if err != nil {
		return nil, nil, err
	}
	e.current.Store(set)
	return e, warnings, nil
}

func assemble(o Options) (*ruleSet, []Warning, error) {
	var overrides []rule
	if o.File != "" {
		var err error
		if overrides, err = readFile(o.File); err != nil {
			return nil, nil, err
		}
	}
	return build(o, overrides)
}

func build(o Options, overrides []rule) (*ruleSet, []Warning, error) {
	e := &ruleSet{rules: map[string]*rule{}}
	for i := range overrides {
		e.rules[overrides[i].name] = &overrides[i]
	}
	for _, d := range registered {
		e.names = append(e.names, d.Name)
		if e.rules[d.Name] != nil {
			continue
		}
		r, err := d.rule(o, e.rules)
		if err != nil {
			return nil, nil, err
		}
		e.rules[d.Name] = r
	}
	for _, name := range slices.Sorted(maps.Keys(e.rules)) {
		r := e.rules[name]
		if err := e.resolve(&r.root); err != nil {
			return nil, nil, place(o, r, err)
		}
	}
	if err := e.findCycle(o); err != nil {
		return nil, nil, err
	}
	return e, e.review(o, overrides), nil
}

// rule makes the rule of a default that no override replaces.
func (d *Default) rule(o Options, overridden map[string]*rule) (*rule, error) {
	text := d.Check
	if d.Old != "" && overridden[d.Old] != nil && !overridden[d.Old].refersTo(d.Name) {
		text = "rule:" + d.Old
	} else if d.Was != "" && !o.EnforceNewDefaults {
		text = "(" + d.Check + ") or (" + d.Was + ")"
	}
	root, err := parseText(text)
	if err != nil {
		return nil, fault.New(fault.Internal, "default of %s: %v", d.Name, err)
	}
	return &rule{name: d.Name, root: root, from: text}, nil
}

// refersTo tells whether the whole rule is another's name: old: rule:new.
func (r *rule) refersTo(name string) bool { return r.root.op == opRule && r.root.name == name }

// resolve ties references to rules.
func (e *ruleSet) resolve(n *node) error {
	if n.op == opRule {
		if n.rule = e.rules[n.name]; n.rule == nil {
			return fault.New(fault.Invalid, "at character %d: there is no rule %s%s", n.at, n.name, e.suggest(n.name))
		}
	}
	for i := range n.kids {
		if err := e.resolve(&n.kids[i]); err != nil {
			return err
		}
	}
	return nil
}

// suggest ends a sentence about a name that is not known.
func (e *ruleSet) suggest(name string) string {
	if best := nearest.To(name, slices.Collect(maps.Keys(e.rules))); best != "" && best != name {
		return "; did you mean " + best + "?"
	}
	return ""
}

// place says where a rule stands.
func place(o Options, r *rule, err error) error {
	where := "the default"
	if r.line > 0 {
		where = fmt.Sprintf("%s line %d", o.File, r.line)
	}
	return fault.New(fault.Invalid, "%s: %s: %s", where, r.name, fault.MessageOf(err))
}

// Check tells whether the caller may do what the rule guards to the target. A
// rule nobody has defined allows nothing.
func (e *Enforcer) Check(name string, c Credentials, t Target) bool {
	r := e.current.Load().rules[name]
	return r != nil && r.root.holds(&c, &t)
}

// IsAdmin tells whether the caller counts as an administrator
// (context_is_admin). Whoever makes Credentials sets their IsAdmin with it.
func (e *Enforcer) IsAdmin(c Credentials) bool {
	return e.Check("context_is_admin", c, Own(c))
}

// Own is the target of a request about nothing in particular, or about
// something to be made: the caller's own project.
func Own(c Credentials) Target { return Target{ProjectID: c.ProjectID, UserID: c.UserID} }

// Known tells whether there is such a rule.
func (e *Enforcer) Known(name string) bool { return e.current.Load().rules[name] != nil }

// Must gives the name back when there is such a rule, and panics otherwise: a
// route with a misspelled rule must not start.
func (e *Enforcer) Must(name string) string {
	if !e.Known(name) {
		panic("policy: there is no rule " + name + e.current.Load().suggest(name))
	}
	return name
}
