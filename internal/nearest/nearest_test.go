package nearest

import (
	"strings"
	"testing"
)

func TestTo(t *testing.T) {
	t.Parallel()
	names := []string{"quota_volumes", "quota_groups", "host", "HOSt"}
	for name, want := range map[string]string{
		"quota_volume": "quota_volumes", "Quota_Groups": "quota_groups", "hots": "HOSt",
		"something_else": "", "": "", strings.Repeat("x", 1000): "",
	} {
		if got := To(name, names); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
