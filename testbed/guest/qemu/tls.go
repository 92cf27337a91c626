package qemu

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// tlsID is the id of the credentials in both QEMUs.
const tlsID = "virtscope-tls"

// exchangeKeys makes keys for this migration and gives each QEMU its own. Both check the other's.
func (m *migration) exchangeKeys(ctx context.Context) error {
	dir, err := os.MkdirTemp(m.guest.spec.Dir, "tls")
	if err != nil {
		return fmt.Errorf("make keys for the migration: %w", err)
	}
	if err := makeKeys(dir, m.options.Address, time.Now()); err != nil {
		return fmt.Errorf("make keys for the migration: %w", err)
	}
	for endpoint, vm := range map[string]*machine{"client": m.src, "server": m.dst} {
		if err := vm.useKeys(ctx, filepath.Join(dir, endpoint), endpoint); err != nil {
			return fmt.Errorf("prepare tls on %s: %w", vm.host.Name(), err)
		}
	}
	return nil
}

// useKeys replaces the credentials of an earlier migration.
func (vm *machine) useKeys(ctx context.Context, dir, endpoint string) error {
	if vm.told["tls-creds"] {
		if err := vm.mon.Execute(ctx, "object-del", map[string]string{"id": tlsID}, nil); err != nil {
			return err
		}
	}
	return vm.mon.Execute(ctx, "object-add", map[string]any{
		"qom-type": "tls-creds-x509", "id": tlsID, "dir": dir, "endpoint": endpoint, "verify-peer": true,
	}, nil)
}

// makeKeys fills dir/client and dir/server with what QEMU's tls-creds-x509 expects (QEMU's manual, system/tls): an authority of
// their own, and a key and a certificate for the end. The server's is for address alone. They are valid for two days around now.
func makeKeys(dir, address string, now time.Time) error {
	ip := net.ParseIP(address)
	if ip == nil {
		return fmt.Errorf("address %q is no IP address", address)
	}
	ca := certificate("virtscope", 1, now)
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return err
	}
	client := certificate("virtscope source", 2, now)
	client.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	server := certificate("virtscope destination", 3, now)
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	server.IPAddresses = []net.IP{ip}
	for name, c := range map[string]*x509.Certificate{"client": client, "server": server} {
		c.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment // QEMU before 9.2 wants both
		sub := filepath.Join(dir, name)
		err := errors.Join(os.Mkdir(sub, 0o700), writePEM(filepath.Join(sub, "ca-cert.pem"), "CERTIFICATE", caDER), issue(c, ca, caKey, sub, name))
		if err != nil {
			return err
		}
	}
	return nil
}

func certificate(name string, serial int64, now time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(24 * time.Hour),
	}
}

func issue(c, ca *x509.Certificate, caKey *ecdsa.PrivateKey, dir, name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, c, ca, key.Public(), caKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		writePEM(filepath.Join(dir, name+"-cert.pem"), "CERTIFICATE", der),
		writePEM(filepath.Join(dir, name+"-key.pem"), "PRIVATE KEY", keyDER),
	)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
