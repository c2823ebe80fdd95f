// Package natscluster runs nats-server for tests: each node a process, so that it can be killed, and a
// link to it that can be cut. The process is the test binary itself: call [Serve] before its tests.
package natscluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// asNode holds the node that a process is.
const asNode = "NATSCLUSTER_NODE"

// A node is one server.
type node struct {
	Name, Dir     string
	Client, Route int
	Routes        []int // of all nodes
}

// Serve makes this process a node if it was started as one; it then does not return.
func Serve() {
	text := os.Getenv(asNode)
	if text == "" {
		return
	}
	var n node
	err := json.Unmarshal([]byte(text), &n)
	if err == nil {
		err = n.serve()
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func (n node) serve() error {
	opts := &server.Options{
		ServerName: n.Name, Host: "127.0.0.1", Port: n.Client, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: n.Dir, SyncAlways: true, JetStreamMaxStore: 8 << 30, JetStreamMaxMemory: 64 << 20,
		Cluster: server.ClusterOpts{Name: filepath.Base(filepath.Dir(n.Dir)), Host: "127.0.0.1", Port: n.Route, NoAdvertise: true}, // links are not passed by
	}
	for _, port := range n.Routes {
		opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	s.Start()
	_, _ = os.Stdin.Read(make([]byte, 1)) // it ends with whoever started it
	s.Shutdown()
	return errors.New("ended")
}

// A Cluster is nodes, each a process.
type Cluster struct {
	dir   string
	nodes []node
	procs []*exec.Cmd
}

// Start starts a cluster of n nodes, and waits until it keeps streams.
func Start(ctx context.Context, n int) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "nats")
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, procs: make([]*exec.Cmd, n)}
	ports, err := free(2 * n)
	if err != nil {
		return nil, err
	}
	for i := range n {
		c.nodes = append(c.nodes, node{Name: fmt.Sprintf("n%d", i+1), Dir: filepath.Join(dir, fmt.Sprintf("n%d", i+1)), Client: ports[i], Route: ports[n+i], Routes: ports[n:]})
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
	self, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := json.Marshal(c.nodes[i])
	if err != nil {
		return err
	}
	cmd := exec.Command(self) //nolint:noctx,gosec // this program; Kill ends it
	cmd.Env = append(os.Environ(), asNode+"="+string(text))
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
