package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"clinker/internal/conf"
	"clinker/internal/fault"
	"clinker/internal/pki"
)

// certificateLook is how often a process looks how long its certificate is valid, and
// certificateSoon when that is worth a warning: who renews every week has none.
const (
	certificateLook = 24 * time.Hour
	certificateSoon = 14 * 24 * time.Hour
)

// followCertificate warns, at the start and every day until ctx ends, that this process's
// certificate is about to expire, or that others do not believe it. Of the one that the API
// shows to clients, only the time is looked at: who vouches for it is theirs to know.
// Connections that are open go on when it has expired, so that nothing else would tell
// before one must be made anew.
func followCertificate(ctx context.Context, cfg *conf.Config, role pki.Role) {
	ticker := time.NewTicker(certificateLook)
	defer ticker.Stop()
	for {
		warnOfCertificates(ctx, cfg, role)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func warnOfCertificates(ctx context.Context, cfg *conf.Config, role pki.Role) {
	if role == pki.API && cfg.API.UseSSL {
		warnOfTime(ctx, cfg.SSL.CertFile, "the certificate in [ssl] cert_file", "clients refuse it", "put a new one there, and start the API anew")
	}
	ca, file, key := cfg.Clinker.TLSFiles(string(role))
	const advice = "make a new one (clinker pki issue) and put it in the place of this one"
	if warnOfTime(ctx, file, "this process's certificate", "no other process talks to it", advice) {
		return
	}
	if err := pki.Believed(ca, file, key, calledAs(cfg, role)); fault.Is(err, fault.Invalid) {
		slog.WarnContext(ctx, "other processes do not talk to this one, for they do not believe its certificate: "+advice, "file", file, "error", err)
	}
}

// calledAs is the host of the URL by which others call the process: of a node, the one
// that it announces.
func calledAs(cfg *conf.Config, role pki.Role) string {
	if role != pki.Volumed {
		return ""
	}
	u, err := url.Parse(cfg.Clinker.VolumedEndpoint)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// warnOfTime tells whether nobody believes the certificate because of its time.
func warnOfTime(ctx context.Context, file, what, then, advice string) (bad bool) {
	from, until, err := pki.Validity(file)
	if err != nil {
		return false
	}
	state, bad := outOfTime(from, until, time.Now())
	if bad {
		state += ", so that " + then
	}
	if state != "" {
		slog.WarnContext(ctx, what+" "+state+": "+advice, "file", file, "from", from, "expires", until)
	}
	return bad
}

// outOfTime says what there is to say of a certificate's time, "" while its end is far
// away, and whether nobody believes it now.
func outOfTime(from, until, now time.Time) (state string, bad bool) {
	switch left := until.Sub(now); {
	case left <= 0:
		return "has expired", true
	case now.Before(from):
		return "is not valid yet by this machine's clock, which may be wrong", true
	case left < certificateSoon:
		return fmt.Sprintf("expires in %d days", int(left.Hours()/24)), false
	}
	return "", false
}
