package main

import (
	"context"
	"log/slog"
	"time"

	"clinker/internal/conf"
	"clinker/policy"
)

// policyLook is how often the policy file is looked at. It holds when it has been
// the same twice.
const policyLook = time.Second

// followPolicy has the rules follow their file until ctx ends. A file that has become
// wrong leaves the rules as they were, and is told of once.
func followPolicy(ctx context.Context, cfg *conf.Config, rules *policy.Enforcer) {
	if cfg.Policy.File == "" {
		return
	}
	ticker := time.NewTicker(policyLook)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		fresh, warnings, err := rules.Reload()
		if err != nil {
			slog.ErrorContext(ctx, "the policy rules stay as they were", "file", cfg.Policy.File, "error", err)
		}
		if fresh {
			slog.InfoContext(ctx, "the policy file has changed, and its rules hold", "file", cfg.Policy.File)
		}
		warnPolicy(ctx, cfg, warnings)
	}
}

// warnPolicy logs what looks like a mistake in the rules.
func warnPolicy(ctx context.Context, cfg *conf.Config, warnings []policy.Warning) {
	for _, w := range warnings {
		slog.WarnContext(ctx, "policy", "file", cfg.Policy.File, "warning", w.String())
	}
}
