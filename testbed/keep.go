package testbed

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// keep holds a failed test until somebody has looked at its machine.
func keep(t testing.TB, vm *VM) {
	select {
	case <-vm.Ended():
		return
	default:
	}
	access := vm.Access()
	fmt.Fprintf(os.Stderr, `
%s failed; its guest %s is kept (disks and console.log: %s). For a shell:
    TESTBED_TOKEN=%s go run ./testbed/shell -at %s
It goes on when the guest is off: type "poweroff -f" there.
`, t.Name(), vm.Name(), vm.Dir(), access.Token, access.Address)
	<-vm.Ended()
}

func last(s string, n int) string { return s[max(0, len(s)-n):] }

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
