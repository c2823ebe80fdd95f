package natsstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
)

const (
	// DefaultName is that of the outbox.
	DefaultName = "bento"
	// DefaultCapacity bounds the entries, in bytes.
	DefaultCapacity = 1 << 30
)

type settings struct {
	name        string
	replicas    int   // 0: as the server is clustered
	capacity    int64 // 0: as the stream has it, or the default
	credentials string
	ca          string
	cert, key   string
	existing    bool // nothing is made
	logger      *slog.Logger
}

// An Option adjusts a Store at [Open].
type Option func(*settings)

// WithName names the outbox, of which a cluster may hold several: letters, digits, - and _. The default
// is [DefaultName]. Streams and subjects begin with it.
func WithName(name string) Option { return func(s *settings) { s.name = name } }

// WithReplicas says how many servers keep a copy: 1, 3 or 5. The default is 3 in a cluster, else 1.
// An outbox that is there already is changed.
func WithReplicas(n int) Option { return func(s *settings) { s.replicas = n } }

// WithCapacity bounds the entries to so many bytes, what NATS needs beside the records included. The
// default is [DefaultCapacity]. An outbox that is there already is changed.
func WithCapacity(bytes int64) Option { return func(s *settings) { s.capacity = max(bytes, 1) } }

// WithoutCreating opens only an outbox that is there, and makes none: if there is none, the error of [Open]
// is [fs.ErrNotExist]. It is for those who only look, and may have mistyped the name.
func WithoutCreating() Option { return func(s *settings) { s.existing = true } }

// none is that there is no outbox, for those who are not to make one.
type none struct{}

func (none) Error() string {
	return "there is no outbox of this name: correct it, or begin to put into it, or to send from it, which makes one"
}

func (none) Unwrap() error { return fs.ErrNotExist }

// WithCredentials logs in with a credentials file, as nsc makes them.
func WithCredentials(file string) Option { return func(s *settings) { s.credentials = file } }

// WithCA trusts the authorities in a PEM file, instead of the system's.
func WithCA(file string) Option { return func(s *settings) { s.ca = file } }

// WithClientCertificate shows the server a certificate: PEM files of it and of its key.
func WithClientCertificate(cert, key string) Option {
	return func(s *settings) { s.cert, s.key = cert, key }
}

// WithLogger is told what weakens the promises, and what will be tried again; never records.
func WithLogger(l *slog.Logger) Option { return func(s *settings) { s.logger = l } }

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (s *settings) check() error {
	switch {
	case !validName.MatchString(s.name):
		return fmt.Errorf("%q cannot name an outbox: use up to 64 letters, digits, - and _", s.name)
	case s.replicas < 0 || s.replicas > 5:
		return fmt.Errorf("%d replicas: JetStream has 1, 3 or 5", s.replicas)
	}
	return nil
}

// tls is nil if nothing of it was set.
func (s *settings) tls() (*tls.Config, error) {
	if s.ca == "" && s.cert == "" && s.key == "" {
		return nil, nil //nolint:nilnil // no configuration, and nothing wrong
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.ca != "" {
		pem, err := os.ReadFile(s.ca)
		if err != nil {
			return nil, fmt.Errorf("the CA file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("the CA file %s holds no certificate in PEM", s.ca)
		}
	}
	if s.cert != "" || s.key != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, s.key)
		if err != nil {
			return nil, errors.Join(errors.New("the client's certificate and key"), err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
