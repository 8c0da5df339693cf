package volumed

import (
	"testing"

	"clinker/volumed/journal"
	"clinker/volumed/target"
)

// TestCapitalsAreNoDrift: a kernel that keeps an initiator's name in small letters has
// what the journal wants.
func TestCapitalsAreNoDrift(t *testing.T) {
	t.Parallel()
	p := &pool{Pool: Pool{IQNPrefix: "iqn.x:"}}
	e := journal.Export{Volume: "v", Grants: []journal.Grant{{Initiator: "iqn.1993-08.org.debian:01:Host", Username: "u"}}}
	have := func(g target.Grant) map[string]target.Export {
		return map[string]target.Export{p.iqn("v"): {IQN: p.iqn("v"), Grants: []target.Grant{g}}}
	}
	for _, c := range []struct {
		there   target.Grant
		drifted bool
	}{
		{target.Grant{Initiator: "iqn.1993-08.org.debian:01:host", Username: "u"}, false},
		{target.Grant{Initiator: "iqn.1993-08.org.debian:01:host", Username: "u", ReadOnly: true}, true},
		{target.Grant{Initiator: "iqn.1993-08.org.debian:01:other", Username: "u"}, true},
	} {
		if got := p.drifted(e, have(c.there)); got != c.drifted {
			t.Errorf("%+v: drifted %v", c.there, got)
		}
	}
}
