// Package pgcluster runs a PostgreSQL server for tests: in a temporary directory, with a Unix socket
// only, and as another user where the tests run as root, whom PostgreSQL refuses.
package pgcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Cluster is a server and its data.
type Cluster struct {
	dir, bin string
	log      bytes.Buffer
	server   *exec.Cmd
	guard    io.WriteCloser // that the server lives as long as
}

// Programs returns the directory that has PostgreSQL's programs; empty if the machine has none, or no
// Unix sockets.
func Programs() string {
	if runtime.GOOS == "windows" {
		return ""
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	for _, path := range slices.Backward(found) {
		program, err := filepath.EvalSymlinks(path)
		if err != nil {
			continue
		}
		bin := filepath.Dir(program)
		if _, err := os.Stat(filepath.Join(bin, "postgres")); err == nil {
			return bin
		}
	}
	return ""
}

// Start makes a cluster and starts its server. Stop it. What all clusters of a process are copied from stays
// in the temporary directory: have that removed, as package scratch does.
func Start() (*Cluster, error) {
	dir, err := os.MkdirTemp("", "pg") // short: a socket's path has room for a hundred bytes
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, bin: Programs()}
	if err := c.make(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := c.start(); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// pristine is the data of a new cluster, which initdb takes a second to make.
var pristine = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return "", err
	}
	if err := own(dir); err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	// Its files are not forced to the disk, which takes a while; what the server writes is.
	return data, as(dir, filepath.Join(Programs(), "initdb"), "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D", data)
})

func (c *Cluster) make() error {
	data, err := pristine()
	if err != nil {
		return err
	}
	if err := own(c.dir); err != nil {
		return err
	}
	if err := as(c.dir, "cp", "-Rp", data, c.data()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.data(), "pg_hba.conf"), []byte(whoMay), 0o600)
}

// as runs a program in a directory, as whom the server runs as.
func as(dir, program string, args ...string) error {
	cmd := exec.Command(program, args...) //nolint:noctx // it ends by itself
	cmd.Dir, cmd.SysProcAttr = dir, asUser()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(program), err, out)
	}
	return nil
}

// Stranger is a user whom the server asks for a password, once the user is made; others are let in.
const Stranger = "stranger"

const whoMay = "local all " + Stranger + " scram-sha-256\nlocal all all trust\n"

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// guarded ends the server when it is told to, or its input ends, as it does with the test: then it
// removes what is left, too.
const guarded = `dir=$1; shift; "$@" & read -r _ || gone=yes; kill -INT $! 2>/dev/null; wait; [ -z "$gone" ] || rm -rf "$dir"`

// patience is how long a server may take to start, or to stop.
const patience = 30 * time.Second

func (c *Cluster) start() error {
	c.server = exec.Command("sh", "-c", guarded, "sh", c.dir, filepath.Join(c.bin, "postgres"), "-D", c.data(), "-k", c.dir, //nolint:noctx // Stop ends it
		"-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=16MB", "-c", "jit=off",
		"-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "autovacuum_naptime=5s")
	c.server.Dir, c.server.SysProcAttr = c.dir, asUser()
	c.server.Stdout, c.server.Stderr = &c.log, &c.log
	guard, err := c.server.StdinPipe()
	if err != nil {
		return err
	}
	c.guard = guard
	if err := c.server.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if c.Run(context.Background(), "SELECT 1") == nil {
			return nil
		}
	}
	return fmt.Errorf("the server does not start: %s", c.log.String())
}

// URL is that of a database of the cluster, postgres or one that was made in it, for its owner.
func (c *Cluster) URL(database string) string { return c.URLFor("postgres", database) }

// Password is that of all URLs.
const Password = "sesame"

// URLFor is that of a database for a user.
func (c *Cluster) URLFor(user, database string) string {
	return fmt.Sprintf("postgres://%s:%s@/%s?host=%s", user, Password, database, c.dir)
}

// Run runs SQL in the database postgres.
func (c *Cluster) Run(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// Crash ends the server as if its machine's power had failed, but for what the system still writes.
func (c *Cluster) Crash() error {
	pid, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(pid), "\n")
	n, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	server, err := os.FindProcess(n)
	if err != nil {
		return err
	}
	if err := server.Signal(syscall.SIGQUIT); err != nil { // an immediate shutdown
		return err
	}
	return c.end()
}

// Restart starts the server again, after Crash.
func (c *Cluster) Restart() error { return c.start() }

// Demote starts the server again, after Crash, as a replica of none.
func (c *Cluster) Demote() error {
	if err := os.WriteFile(filepath.Join(c.data(), "standby.signal"), nil, 0o600); err != nil {
		return err
	}
	return c.start()
}

// end ends the server, and waits for it.
func (c *Cluster) end() error {
	if c.server == nil || c.server.Process == nil {
		return nil
	}
	_, _ = io.WriteString(c.guard, "\n")
	_ = c.guard.Close()
	ended := make(chan struct{})
	go func() {
		_ = c.server.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		c.server = nil
		return nil
	case <-time.After(patience):
		return errors.New("the server does not end")
	}
}

// Stop ends the server, and removes all there is.
func (c *Cluster) Stop() error { return errors.Join(c.end(), os.RemoveAll(c.dir)) }
