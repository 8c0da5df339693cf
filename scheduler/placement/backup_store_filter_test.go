package placement

import (
	"strings"
	"testing"
)

func TestBackupStoreFilter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ wanted, has, reason string }{
		{"", "", ""}, {"", "one", ""}, {"one", "one", ""}, {"one", "", "reaches no store"}, {"one", "two", "in another store"},
	} {
		got := filters["BackupStoreFilter"](&Request{BackupStore: c.wanted})(&Pool{BackupStore: c.has})
		if (got == "") != (c.reason == "") || !strings.Contains(got, c.reason) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
