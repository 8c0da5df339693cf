package pki

import (
	"path/filepath"
	"strings"
	"testing"

	"clinker/internal/fault"
)

func TestBelieved(t *testing.T) {
	t.Parallel()
	dir, foreign := cloud(t), cloud(t)
	cert, key := paths(dir, string(Volumed))
	for _, c := range []struct{ ca, host, want string }{
		{dir, "127.0.0.1", ""},
		{dir, "", ""},
		{dir, "node1", "it is not for node1"},
		{foreign, "127.0.0.1", "the CA in [clinker] ca does not vouch for it"},
	} {
		err := Believed(filepath.Join(c.ca, "ca.crt"), cert, key, c.host)
		if (err == nil) != (c.want == "") || err != nil && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: got %v", c.host, err)
		}
	}
}
