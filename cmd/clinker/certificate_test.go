package main

import (
	"strings"
	"testing"
	"time"

	"clinker/internal/pki"
)

func TestExpiring(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := pki.EnsureCA(dir); err != nil {
		t.Fatal(err)
	}
	cert, _, err := pki.Issue(dir, "node1", pki.Volumed, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	expires, err := pki.Expiry(cert)
	if err != nil {
		t.Fatal(err)
	}
	for left, want := range map[time.Duration]string{
		15 * 24 * time.Hour: "",
		50 * time.Hour:      "expires in 2 days",
		-time.Hour:          "has expired",
	} {
		if got := expiring(expires, expires.Add(-left)); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("with %v left: %q", left, got)
		}
	}
	if got := expiring(expires, time.Now()); got != "" {
		t.Errorf("of a new one: %q", got)
	}
}
