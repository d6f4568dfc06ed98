package pgtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// ServeTLS has the server offer TLS, as this host, and returns the certificate of the private authority that has signed its own, in PEM.
func (s *Server) ServeTLS(t testing.TB, host string) (authority []byte) {
	t.Helper()
	authority, certificate, key, err := certificates(host)
	for name, content := range map[string][]byte{"server.crt": certificate, "server.key": key} {
		path := filepath.Join(s.data(), name)
		err = errors.Join(err, os.WriteFile(path, content, 0o600))
		if s.at.as != nil {
			err = errors.Join(err, os.Chown(path, int(s.at.as.Uid), int(s.at.as.Gid)))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Exec(t, "postgres", `ALTER SYSTEM SET ssl = on`, `SELECT pg_reload_conf()`)
	s.Wait(t, `current_setting('ssl')::boolean`)
	return authority
}

// certificates are that of an authority, and one that it has signed, with its key, in PEM.
func certificates(host string) (authority, certificate, key []byte, err error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority for tests"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	authority, err = x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		return nil, nil, nil, err
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	certificate, err = x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: template.NotBefore, NotAfter: template.NotAfter,
	}, template, own.Public(), signer)
	if err != nil {
		return nil, nil, nil, err
	}
	key, err = x509.MarshalPKCS8PrivateKey(own)
	encode := func(kind string, bytes []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})
	}
	return encode("CERTIFICATE", authority), encode("CERTIFICATE", certificate), encode("PRIVATE KEY", key), err
}
