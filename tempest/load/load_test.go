package load

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// brief are options for a run that takes little time.
func brief() Options {
	return Options{Volumes: 40, Workers: []int{1, 4}, Duration: 20 * time.Millisecond, Most: 20,
		Poll: time.Millisecond, Limit: 10 * time.Second}
}

func TestEveryPhaseIsMeasuredAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	server, endpoint := newFake(t)
	results, err := Run(t.Context(), endpoint, brief())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range results {
		got = append(got, r.Phase)
		if r.Errors != 0 || r.Done == 0 || r.P50 <= 0 || r.P99 < r.P50 || r.Max < r.P99 {
			t.Errorf("%+v", r)
		}
	}
	if want := slices.Concat(Phases, Phases[1:]); !slices.Equal(got, want) {
		t.Errorf("phases are %q, want %q", got, want)
	}
	if len(server.volumes) != 0 {
		t.Errorf("%d volumes are left of %d", len(server.volumes), server.made)
	}
}

func TestFailuresAreCountedAndShown(t *testing.T) {
	t.Parallel()
	server, endpoint := newFake(t)
	server.failing = true
	o := brief()
	o.Phases = []string{"create", "attach"}
	results, err := Run(t.Context(), endpoint, o)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(results, func(r Result) bool { return r.Phase == "attach" })
	if r := results[i]; r.Errors == 0 || r.Done != 0 || len(r.Failures) == 0 || !strings.Contains(r.Failures[0], "no target") {
		t.Errorf("%+v", r)
	}
	var table bytes.Buffer
	if err := Table(&table, results); err != nil || !strings.Contains(table.String(), "no target") {
		t.Errorf("%v\n%s", err, &table)
	}
	if len(server.volumes) != 0 {
		t.Errorf("%d volumes are left", len(server.volumes))
	}
}

func TestAnInterruptedRunCleansUp(t *testing.T) {
	t.Parallel()
	server, endpoint := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	o := brief()
	o.Observe = func(phase string, _ int) func(*Result) {
		if phase == "show" {
			cancel()
		}
		return func(*Result) {}
	}
	if _, err := Run(ctx, endpoint, o); err == nil {
		t.Error("an interrupted run reports success")
	}
	if len(server.volumes) != 0 || server.made < o.Volumes {
		t.Errorf("%d volumes are left of %d", len(server.volumes), server.made)
	}
}

func TestAnEndpointThatRefusesIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, endpoint := newFake(t)
	endpoint.Token = "wrong"
	if _, err := Run(t.Context(), endpoint, brief()); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("error is %v", err)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, want string }{
		{`{"volume": {"replication_status": "off", "status": "creating"}}`, "creating"},
		{`{"volume":{"name":"\"status\":\"x\"","status":"available"}}`, "available"},
		{`{"status":null}`, ""}, {`{"status"`, ""}, {``, ""},
	} {
		if got := text([]byte(c.body), "status"); got != c.want {
			t.Errorf("%s: %q, want %q", c.body, got, c.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := Samples(rapid.SliceOfN(rapid.Map(rapid.IntRange(1, 1e9), func(n int) time.Duration { return time.Duration(n) }), 1, 300).Draw(t, "samples"))
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		slices.Sort(s)
		value := s.quantile(q)
		below, upTo := 0, 0
		for _, d := range s {
			if milliseconds(d) < value {
				below++
			}
			if milliseconds(d) <= value {
				upTo++
			}
		}
		// The smallest sample that at least the share q does not exceed.
		if n := float64(len(s)); float64(upTo) < q*n || below > 0 && float64(below) >= q*n {
			t.Fatalf("%d below, %d up to %v of %d at %v", below, upTo, value, len(s), q)
		}
	})
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	want := []Result{{Phase: "show", Workers: 16, Done: 3, PerSecond: 2.5, Times: Times{P50: 1, P99: 2, Max: 3}}}
	if err := JSON(&out, want); err != nil {
		t.Fatal(err)
	}
	var got []Result
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got) != 1 || got[0].P99 != 2 {
		t.Errorf("%v: %+v", err, got)
	}
}
