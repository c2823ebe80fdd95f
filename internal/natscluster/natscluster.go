// Package natscluster runs nats-server for tests: each node a process, so that it can be killed, and a
// link to it that can be cut.
package natscluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// A Node is one server, as its program is told.
type Node struct {
	Name, Dir     string
	Client, Route int
	Routes        []int // of all nodes
}

// A Cluster is nodes, each a process.
type Cluster struct {
	dir   string
	bin   string // the program of a node
	nodes []Node
	procs []*exec.Cmd
}

// Start starts a cluster of n nodes, and waits until it keeps streams.
func Start(ctx context.Context, n int) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "nats")
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, bin: filepath.Join(dir, "node"), procs: make([]*exec.Cmd, n)}
	if err := c.build(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	ports, err := free(2 * n)
	if err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	for i := range n {
		c.nodes = append(c.nodes, Node{Name: fmt.Sprintf("n%d", i+1), Dir: filepath.Join(dir, fmt.Sprintf("n%d", i+1)), Client: ports[i], Route: ports[n+i], Routes: ports[n:]})
	}
	for i := range n {
		if err := c.Restart(i); err != nil {
			return nil, errors.Join(err, c.Stop())
		}
	}
	if err := c.ready(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// build builds the program of a node. It is not the test's own, since that may be built to look for
// races: such a node is so slow that a cluster of them loses its leaders by itself.
func (c *Cluster) build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w", "-o", c.bin, "example.com/bento-go/internal/natscluster/node") //nolint:gosec // of this module
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build a node: %w\n%s", err, out)
	}
	return nil
}

// free finds ports that nobody uses.
func free(n int) ([]int, error) {
	var ports []int
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
		if err != nil {
			return nil, err
		}
		defer func() { _ = listener.Close() }() // all at the end, so that they differ
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

const patience = 30 * time.Second

// ready waits until the cluster has a leader for what is kept.
func (c *Cluster) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	for ctx.Err() == nil {
		conn, err := nats.Connect(c.URL(), nats.Timeout(time.Second))
		if err == nil {
			var reply *nats.Msg
			if reply, err = conn.Request("$JS.API.INFO", nil, time.Second); err == nil && strings.Contains(string(reply.Data), `"error"`) {
				err = errors.New(string(reply.Data))
			}
			conn.Close()
		}
		if err == nil {
			return nil
		}
		last = err
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("the cluster does not get ready: %w", last)
}

// URL names all nodes.
func (c *Cluster) URL() string {
	var all []string
	for i := range c.nodes {
		all = append(all, "nats://"+c.Address(i))
	}
	return strings.Join(all, ",")
}

// Address is that of a node.
func (c *Cluster) Address(i int) string { return fmt.Sprintf("127.0.0.1:%d", c.nodes[i].Client) }

// Size is how many nodes there are.
func (c *Cluster) Size() int { return len(c.nodes) }

// Kill ends a node at once.
func (c *Cluster) Kill(i int) {
	if proc := c.procs[i]; proc != nil {
		_ = proc.Process.Kill()
		_ = proc.Wait()
		c.procs[i] = nil
	}
}

// Restart starts a node that does not run.
func (c *Cluster) Restart(i int) error {
	text, err := json.Marshal(c.nodes[i])
	if err != nil {
		return err
	}
	cmd := exec.Command(c.bin, string(text)) //nolint:noctx,gosec // Kill ends it
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // which ends with this process
		return err
	}
	c.procs[i] = cmd
	return cmd.Start()
}

// Stop ends all nodes, and removes what they keep.
func (c *Cluster) Stop() error {
	for i := range c.procs {
		c.Kill(i)
	}
	return os.RemoveAll(c.dir)
}
