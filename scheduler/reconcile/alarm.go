package reconcile

import (
	"context"
	"expvar"
	"log/slog"
)

// Alarms counts, by chore, what an administrator must look at.
var Alarms = expvar.NewMap("clinker_reconcile_alarms")

// alarm says that something is wrong which must not be mended by a program.
func alarm(ctx context.Context, chore, text string, args ...any) {
	Alarms.Add(chore, 1)
	slog.ErrorContext(ctx, text, append(args, "chore", chore)...)
}
