package pki

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"time"
)

const (
	caName     = "ca"
	caLife     = 10 * 365 * 24 * time.Hour
	leafLife   = 365 * 24 * time.Hour
	renewBelow = 30 * 24 * time.Hour
	clockSkew  = time.Hour // how far the clocks of two machines may differ
)

// EnsureCA makes a CA in the folder (ca.crt, ca.key) unless one is there, and
// gives the path of its certificate. A CA with less than 30 days left gets a
// new certificate for its old key, so that what it has signed stays valid. It
// may be repeated, and by several processes at once.
func EnsureCA(dir string) (cert string, err error) {
	release, err := lock(dir)
	if err != nil {
		return "", err
	}
	defer release()
	certFile, keyFile := paths(dir, caName)
	ca, err := load(dir, caName)
	if err != nil {
		return "", err
	}
	if ca != nil && fresh(ca.cert) {
		return certFile, nil
	}
	key, err := loadKey(keyFile)
	if err != nil {
		return "", err
	}
	if key == nil {
		if key, err = newKey(); err != nil {
			return "", err
		}
		if err := saveKey(keyFile, key); err != nil {
			return "", err
		}
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Clinker CA"},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(caLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true, // it signs processes, no further CAs
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return "", fmt.Errorf("sign the CA's certificate: %w", err)
	}
	return certFile, saveCert(certFile, der)
}

// fresh tells whether a certificate is valid and will be for 30 days more.
func fresh(cert *x509.Certificate) bool {
	now := time.Now()
	return now.After(cert.NotBefore) && now.Add(renewBelow).Before(cert.NotAfter)
}
