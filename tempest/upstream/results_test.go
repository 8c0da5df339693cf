package upstream

import (
	"strings"
	"testing"
)

const sample = `<testsuite errors="0" failures="1" tests="4" time="3.2">
<testcase classname="tempest.api.volume.test_volumes_get.VolumesGetTest" name="test_create[id-27fb0e9f,smoke]" time="1.5"/>
<testcase classname="tempest.api.volume.test_x.XTest" name="test_skipped[id-1]" time="0.0"><skipped>no
 nova</skipped></testcase>
<testcase classname="tempest.api.volume.test_x.XTest" name="test_fails[id-2]" time="0.25"><failure type="testtools">Traceback (most recent call last):
  File "x.py", line 1
tempest.lib.exceptions.NotFound: Object not found
</failure></testcase>
<testcase classname="" name="setUpClass (tempest.api.volume.test_y.YTest)" time="0.0"><error type="x">boom</error></testcase>
</testsuite>`

func TestParse(t *testing.T) {
	t.Parallel()
	r, err := parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"tempest.api.volume.test_volumes_get.VolumesGetTest.test_create": "pass ",
		"tempest.api.volume.test_x.XTest.test_skipped":                   "skip no nova",
		"tempest.api.volume.test_x.XTest.test_fails":                     "fail tempest.lib.exceptions.NotFound: Object not found",
		"setUpClass (tempest.api.volume.test_y.YTest)":                   "fail boom",
	}
	for id, text := range want {
		if got := r[id].Status + " " + r[id].Reason; got != text {
			t.Errorf("%s: %q, wanted %q", id, got, text)
		}
	}
	if len(r) != len(want) {
		t.Errorf("%d tests, wanted %d", len(r), len(want))
	}
}

func TestStopped(t *testing.T) {
	t.Parallel()
	r := results{"a": {Status: "pass"}, "b": {Status: "skip", Reason: "why"}, "d": {Status: "pass"}}
	got := strings.Join(r.stopped([]string{"a", "b", "c"}), "\n")
	if want := "b: skip: why\nc: did not run"; got != want {
		t.Errorf("%q, wanted %q", got, want)
	}
	if table := r.table([]string{"a", "b", "c"}); !strings.Contains(table, "pass  d: not in") || !strings.HasSuffix(table, "2 passed, 0 failed, 1 skipped") {
		t.Errorf("%s", table)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := parse(text); err == nil {
			r.table(nil)
		}
	})
}
