package rig

import (
	"testing"

	"clinker/testbed/ports"
)

// Ports gives the first of n free TCP ports of loopback, one after the other, that
// nobody else is given while the test's process lives.
func Ports(t testing.TB, n int) int {
	t.Helper()
	first, err := ports.Take(n)
	if err != nil {
		t.Fatal(err)
	}
	return first
}
