package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"testing"

	"clinker/internal/conf"
	"clinker/internal/pki"
)

// TestCallersShowACertificate: with ca_file in [ssl] nobody without a certificate of it
// gets as far as a request.
func TestCallersShowACertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, err := pki.EnsureCA(dir)
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := pki.Issue(dir, "api", pki.API, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &conf.Config{API: conf.API{Listen: "127.0.0.1", UseSSL: true}, SSL: conf.SSL{CertFile: cert, KeyFile: key, CAFile: ca}}
	listener, err := listenAPI(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = serveHTTP(t.Context(), listener, http.NotFoundHandler()) }()
	own, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	url := "https://" + listener.Addr().String()
	if err := get(t, url, ca, own); err != nil {
		t.Errorf("with a certificate: %v", err)
	}
	if err := get(t, url, ca); err == nil {
		t.Error("answered without a certificate")
	}
}

// get asks once, with a connection of its own.
func get(t *testing.T, url, ca string, own ...tls.Certificate) error {
	t.Helper()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: own}}}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}
