// Command node is a node of a cluster for tests.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"os"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"

	"example.com/bento-go/internal/natscluster"
)

func main() {
	log.SetFlags(0)
	var n natscluster.Node
	if len(os.Args) != 2 {
		log.Fatal("usage: node JSON")
	}
	if err := json.Unmarshal([]byte(os.Args[1]), &n); err != nil {
		log.Fatal(err)
	}
	if err := serve(n); err != nil {
		log.Fatal(err)
	}
}

// serve serves until standard input ends: with whoever started it.
func serve(n natscluster.Node) error {
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
	_, _ = os.Stdin.Read(make([]byte, 1))
	s.Shutdown()
	return nil
}
