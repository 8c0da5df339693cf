package policy

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
)

// Rule is a rule as it holds.
type Rule struct {
	Name  string
	Check string // in the rule language, or as the old list
}

// Rules lists the rules that guard something as they hold, in the order of
// Defaults.
func (e *Enforcer) Rules() []Rule {
	set := e.current.Load()
	all := make([]Rule, len(set.names))
	for i, name := range set.names {
		all[i] = Rule{name, set.rules[name].from}
	}
	return all
}

// Sample writes a policy file that lists every rule with what it guards and
// its default, all commented out: loading it changes nothing.
func Sample(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "# Who may do what. Every rule stands here with its default.")
	for _, d := range registered {
		fmt.Fprintf(out, "\n# %s\n", d.Description)
		if d.Old != "" {
			fmt.Fprintf(out, "# Before it was split: %s\n", d.Old)
		}
		if d.Was != "" {
			fmt.Fprintf(out, "# With enforce_new_defaults = false also: %s\n", strconv.Quote(d.Was))
		}
		fmt.Fprintf(out, "#%q: %q\n", d.Name, d.Check)
	}
	return out.Flush()
}
