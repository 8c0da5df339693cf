package policy

import (
	"slices"
	"strings"
)

// op says what a node of a parsed check does.
type op uint8

const (
	opFalse op = iota // the zero node allows nothing
	opTrue
	opNot
	opAnd
	opOr
	opRule      // another rule
	opRole      // one of the caller's roles, whatever its case
	opAttribute // something else about the caller
	opLiteral   // a text in the rule itself
)

// node is a check, parsed. A plain struct with a switch over its kind, rather
// than an interface or a closure, lets the compiler see that credentials and
// target do not escape: a Check costs no allocation.
type node struct {
	op   op
	kids []node    // of not, and, or
	name string    // of a rule; of an unknown attribute
	rule *rule     // what name stands for, once resolved
	attr attribute // of an attribute
	text string    // of a literal
	want template  // what a role, attribute or literal is compared with
	at   int       // where in the text the check begins, in characters from 1
}

// rule is a name with its check.
type rule struct {
	name string
	root node
	from string // the text, as written
	line int    // in the policy file; 0 for a default
}

// holds evaluates a check.
func (n *node) holds(c *Credentials, t *Target) bool {
	switch n.op {
	case opTrue:
		return true
	case opNot:
		return !n.kids[0].holds(c, t)
	case opAnd:
		for i := range n.kids {
			if !n.kids[i].holds(c, t) {
				return false
			}
		}
		return true
	case opOr:
		for i := range n.kids {
			if n.kids[i].holds(c, t) {
				return true
			}
		}
		return false
	case opRule:
		return n.rule.root.holds(c, t)
	case opRole:
		role, ok := n.want.fill(t, false)
		return ok && slices.ContainsFunc(c.Roles, func(r string) bool { return strings.EqualFold(r, role) })
	case opAttribute:
		return n.equals(c, t)
	case opLiteral:
		want, ok := n.want.fill(t, true)
		return ok && want == n.text
	}
	return false
}

// equals compares something about the caller. What the caller does not have
// equals only the word None in the rule, never a target's lack of it: a thing
// without a project does not belong to every caller without one.
func (n *node) equals(c *Credentials, t *Target) bool {
	if n.attr == attrUnknown {
		return false
	}
	if n.attr == attrRoles || n.attr == attrServiceRoles {
		roles := c.Roles
		if n.attr == attrServiceRoles {
			roles = c.ServiceRoles
		}
		want, ok := n.want.fill(t, false)
		return ok && slices.Contains(roles, want)
	}
	have := c.text(n.attr)
	if have == "" {
		return n.want.isNone()
	}
	want, ok := n.want.fill(t, false)
	return ok && have == want
}
