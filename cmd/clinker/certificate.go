package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"clinker/internal/conf"
	"clinker/internal/pki"
)

// certificateLook is how often a process looks how long its certificate is valid, and
// certificateSoon when that is worth a warning: who renews every week has none.
const (
	certificateLook = 24 * time.Hour
	certificateSoon = 14 * 24 * time.Hour
)

// followCertificate warns, at the start and every day until ctx ends, that this process's
// certificate is about to expire. Connections that are open go on when it has, so that
// nothing else would tell before one must be made anew.
func followCertificate(ctx context.Context, cfg *conf.Config, role pki.Role) {
	_, file, _ := cfg.Clinker.TLSFiles(string(role))
	ticker := time.NewTicker(certificateLook)
	defer ticker.Stop()
	for {
		if expires, err := pki.Expiry(file); err == nil {
			if warning := expiring(expires, time.Now()); warning != "" {
				slog.WarnContext(ctx, warning, "file", file, "expires", expires)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// expiring says what there is to say of a certificate's end; "" while it is far away.
func expiring(expires, now time.Time) string {
	const advice = "make a new one (clinker pki issue) and put it in the place of this one"
	switch left := expires.Sub(now); {
	case left <= 0:
		return "this process's certificate has expired, and no other process talks to it: " + advice
	case left < certificateSoon:
		return fmt.Sprintf("this process's certificate expires in %d days: %s", int(left.Hours()/24), advice)
	}
	return ""
}
