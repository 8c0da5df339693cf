package gopher

import (
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/tempest/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// clouds are the two users of one `clinker dev`.
type clouds struct {
	admin, demo *gophercloud.ServiceClient
}

func TestGophercloud(t *testing.T) {
	t.Parallel()
	d := rig.StartDev(t)
	c := clouds{d.Client(t, "admin"), d.Client(t, "demo")}
	// One after the other: they count and limit what the same project has.
	for _, s := range []struct {
		name string
		test func(*testing.T, clouds)
	}{
		{"Life", life}, {"Pages", pages}, {"Filters", filters}, {"Attachments", attaching}, {"OldAttach", oldAttaching}, {"Sharing", sharing}, {"Types", types}, {"Transfers", giving},
		{"Quotas", quotas}, {"Operator", operator}, {"Errors", refusals}, {"Unauthorized", unauthorized},
	} {
		t.Run(s.name, func(t *testing.T) { s.test(t, c) })
	}
}

// must gives the value of a call that must work.
func must[T any](t *testing.T, call func() (T, error)) T {
	t.Helper()
	value, err := call()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused checks an error's HTTP status and a part of its sentence.
func refused(t *testing.T, err error, status int, says string) {
	t.Helper()
	if !gophercloud.ResponseCodeIs(err, status) || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v\nwant status %d and %q", err, status, says)
	}
}
