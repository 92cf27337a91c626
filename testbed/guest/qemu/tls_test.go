package qemu

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func readCertificate(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		t.Fatalf("%s is no PEM", path)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	if err := makeKeys(dir, "10.78.0.2", now); err != nil {
		t.Fatal(err)
	}
	for name, usage := range map[string]x509.ExtKeyUsage{"client": x509.ExtKeyUsageClientAuth, "server": x509.ExtKeyUsageServerAuth} {
		roots := x509.NewCertPool()
		roots.AddCert(readCertificate(t, filepath.Join(dir, name, "ca-cert.pem")))
		c := readCertificate(t, filepath.Join(dir, name, name+"-cert.pem"))
		if _, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		info, err := os.Stat(filepath.Join(dir, name, name+"-key.pem"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: key %v, %v", name, info, err)
		}
	}
	server := readCertificate(t, filepath.Join(dir, "server", "server-cert.pem"))
	if err := server.VerifyHostname("10.78.0.2"); err != nil {
		t.Error(err)
	}
	if server.VerifyHostname("10.78.0.3") == nil {
		t.Error("the certificate is for any address")
	}
	if err := makeKeys(t.TempDir(), "no address", now); err == nil {
		t.Error("keys for no address")
	}
}
