package natsstore_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
	"example.com/bento-go/outbox/storetest"
)

// What the package's documentation says that a user needs is enough.
func TestAUserWithFewPermissions(t *testing.T) {
	t.Parallel()
	user := &server.User{Username: "bento", Password: "s3cret", Permissions: &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			"bento.>", "$JS.API.STREAM.*.bento-entries", "$JS.API.STREAM.*.bento-state", "$JS.API.STREAM.MSG.*.bento-entries",
			"$JS.API.STREAM.MSG.GET.bento-state", "$JS.API.DIRECT.GET.bento-entries", "$JS.API.DIRECT.GET.bento-state",
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>", "bento.wake.*"}},
	}}
	admin := &server.User{Username: "admin", Password: "admin"}
	at := started(t, &server.Options{StoreDir: t.TempDir(), Users: []*server.User{user, admin}}).Addr().String()
	conn, err := nats.Connect("nats://admin:admin@" + at)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	storetest.Run(t, func(t *testing.T) outbox.Store {
		t.Helper()
		t.Cleanup(func() { // the permissions are for one outbox, which each case has anew
			for _, stream := range []string{"bento-entries", "bento-state"} {
				assert.NoError(t, js.DeleteStream(context.WithoutCancel(t.Context()), stream))
			}
		})
		s, err := natsstore.Open(t.Context(), "nats://bento:s3cret@"+at, natsstore.WithCapacity(3<<20))
		require.NoError(t, err)
		return s
	})
}

// A server that has a certificate of the user's own authority, and wants to see one.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := certificate(t, dir)
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	authority := x509.NewCertPool()
	content, err := os.ReadFile(cert)
	require.NoError(t, err)
	require.True(t, authority.AppendCertsFromPEM(content))
	at := started(t, &server.Options{StoreDir: t.TempDir(), TLS: true, TLSVerify: true, TLSTimeout: 5, TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: authority, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	}}).Addr().String()
	for name, opts := range map[string][]natsstore.Option{
		"an authority nobody knows": {natsstore.WithClientCertificate(cert, key)},
		"no certificate":            {natsstore.WithCA(cert)},
	} {
		_, err := natsstore.Open(t.Context(), "tls://"+at, opts...)
		require.ErrorContains(t, err, at, name)
		require.ErrorContains(t, err, "tls", name)
	}
	s, err := natsstore.Open(t.Context(), "tls://"+at, natsstore.WithCA(cert), natsstore.WithClientCertificate(cert, key))
	require.NoError(t, err)
	put(t, s, event(""))
	require.NoError(t, s.Close())
}

// certificate makes one that signs itself, for both ends.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	made, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	encoded, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded}), 0o600))
	return cert, key
}
