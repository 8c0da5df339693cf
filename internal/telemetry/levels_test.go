package telemetry

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"clinker/internal/fault"
)

// TestLevels is one test, and not parallel: the levels are the process's.
func TestLevels(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var out bytes.Buffer
	Log(&out, slog.LevelWarn, false)
	logged := func() string {
		t.Helper()
		out.Reset()
		slog.DebugContext(context.Background(), "low")
		slog.WarnContext(context.Background(), "high")
		return strings.Join(strings.Fields(out.String()), " ")
	}
	if got := logged(); strings.Contains(got, "low") || !strings.Contains(got, "high") {
		t.Errorf("at WARNING: %s", got)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(SetLevel("clinker.internal", "debug"))
	if got := logged(); !strings.Contains(got, "low") {
		t.Errorf("with this package at DEBUG: %s", got)
	}
	must(SetLevel("cinder.volume", "ERROR"))
	want := map[string]string{"clinker": "WARNING", "clinker.api": "WARNING", "clinker.db": "WARNING",
		"clinker.scheduler": "WARNING", "clinker.volumed": "ERROR", "clinker.internal": "DEBUG"}
	if diff := cmp.Diff(want, Levels("")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"clinker.volumed": "ERROR"}, Levels("clinker.volumed")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"clinker.volumed.rpc": "ERROR"}, Levels("clinker.volumed.rpc")); diff != "" {
		t.Error(diff)
	}
	changes := []Change{{"clinker.db", "debug"}, {"clinker.db.x", "LOUD"}}
	want["clinker.db"] = "DEBUG"
	if diff := cmp.Diff(want, LevelsOf(Overrides(), changes, "")); diff != "" {
		t.Error(diff)
	}
	must(SetLevel("", "Error"))
	if got := logged(); got != "" {
		t.Errorf("all at ERROR: %s", got)
	}
	if err := SetLevel("", "LOUD"); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown level: %v", err)
	}
}
