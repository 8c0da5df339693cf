package main

import (
	"os"
	"runtime/debug"
)

// saveMemory has Go collect garbage twice as often as it would: for roles whose work
// is done elsewhere, in PostgreSQL, in the kernel and in tgtd, and which run beside those.
// GOGC, where it is set, goes before it.
func saveMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}
