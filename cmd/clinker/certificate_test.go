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
	from, until, err := pki.Validity(cert)
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[time.Time]string{
		until.Add(-15 * 24 * time.Hour): "",
		until.Add(-50 * time.Hour):      "expires in 2 days",
		until.Add(time.Hour):            "has expired",
		from.Add(-time.Hour):            "not valid yet",
		time.Now():                      "",
	} {
		got, bad := outOfTime(from, until, now)
		if !strings.Contains(got, want) || (got == "") != (want == "") || bad != (now.Before(from) || now.After(until)) {
			t.Errorf("at %v: %q, %v", now, got, bad)
		}
	}
}
