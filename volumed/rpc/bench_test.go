package rpc_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"testing"

	"clinker/volumed/rpc"
)

// BenchmarkRevoke is the smallest call over mutual TLS on loopback, client
// and server on the same processors.
func BenchmarkRevoke(b *testing.B) {
	n := pair(b, fake{revoke: func(context.Context, rpc.Fence, string, string) error { return nil }})
	b.ReportAllocs()
	for b.Loop() {
		if err := n.Revoke(ctx, fence, "p#p", "v"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRevokeParallel is the same by sixteen callers a processor.
func BenchmarkRevokeParallel(b *testing.B) {
	n := pair(b, fake{revoke: func(context.Context, rpc.Fence, string, string) error { return nil }})
	b.SetParallelism(16)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := n.Revoke(ctx, fence, "p#p", "v"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// clientState is what a server knows of a connection with a good certificate.
func clientState(t testing.TB, ca *authority) *tls.ConnectionState {
	cert, err := x509.ParseCertificate(ca.holder("scheduler").Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return &tls.ConnectionState{
		PeerCertificates: []*x509.Certificate{cert},
		VerifiedChains:   [][]*x509.Certificate{{cert, ca.cert}},
	}
}
