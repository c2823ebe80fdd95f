package natsstore_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
)

// An operator, who knows accounts, which know users, by files as nsc writes them.
func TestACredentialsFile(t *testing.T) {
	t.Parallel()
	operator, operatorKey := key(t, nkeys.CreateOperator)
	account, accountKey := key(t, nkeys.CreateAccount)
	_, system := key(t, nkeys.CreateAccount)
	resolver := &server.MemAccResolver{}
	for _, public := range []string{system, accountKey} {
		claims := jwt.NewAccountClaims(public)
		if public == accountKey {
			claims.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: -1, MemoryStorage: -1, Streams: -1, Consumer: -1}
		}
		told, err := claims.Encode(operator)
		require.NoError(t, err)
		require.NoError(t, resolver.Store(public, told))
	}
	at := started(t, &server.Options{
		StoreDir: t.TempDir(), TrustedKeys: []string{operatorKey}, AccountResolver: resolver, SystemAccount: system,
	}).Addr().String()

	s, err := natsstore.Open(t.Context(), "nats://"+at, natsstore.WithCredentials(credentials(t, account)))
	require.NoError(t, err)
	defer func() { _ = s.Close() }()
	_, err = s.Put(t.Context(), []outbox.Entry{{Lane: outbox.Events, Record: []byte(`{}`)}})
	require.NoError(t, err)

	stranger, _ := key(t, nkeys.CreateAccount)
	file := credentials(t, stranger)
	_, err = natsstore.Open(t.Context(), "nats://"+at, natsstore.WithCredentials(file))
	require.ErrorContains(t, err, "does not know this user: correct the credentials")
	content, readErr := os.ReadFile(file)
	require.NoError(t, readErr)
	for line := range strings.Lines(string(content)) {
		if len(line) > 40 {
			assert.NotContains(t, err.Error(), strings.TrimSpace(line), "secrets")
		}
	}
}

func key(t *testing.T, create func() (nkeys.KeyPair, error)) (pair nkeys.KeyPair, public string) {
	t.Helper()
	pair, err := create()
	require.NoError(t, err)
	public, err = pair.PublicKey()
	require.NoError(t, err)
	return pair, public
}

// credentials are a file of a user of an account.
func credentials(t *testing.T, account nkeys.KeyPair) string {
	t.Helper()
	user, public := key(t, nkeys.CreateUser)
	token, err := jwt.NewUserClaims(public).Encode(account)
	require.NoError(t, err)
	seed, err := user.Seed()
	require.NoError(t, err)
	content, err := jwt.FormatUserConfig(token, seed)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "relay.creds")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	return file
}

// The server is one that says what an old one says.
func TestAnOldServerIsRefused(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		fmt.Fprintf(conn, "INFO {\"server_id\":\"x\",\"version\":\"2.11.9\",\"proto\":1,\"headers\":true,\"jetstream\":true,\"max_payload\":1048576}\r\n")
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			if lines.Text() == "PING" {
				fmt.Fprint(conn, "PONG\r\n")
			}
		}
	}()
	_, err = natsstore.Open(t.Context(), "nats://"+listener.Addr().String())
	require.ErrorContains(t, err, "nats-server 2.11.9: transactions need 2.12 or newer")
}
