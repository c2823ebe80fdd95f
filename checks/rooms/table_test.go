package rooms_test

// light are the modules that a program may carry on account of the client.
var light = []string{"github.com/oapi-codegen/runtime", "github.com/google/uuid", "github.com/apapsch/go-jsonmerge/v2"}

// rooms are all packages, and what each may import: other rooms, and modules of others.
var rooms = map[string][]string{
	"contract": {},
	"gen":      {"github.com/oapi-codegen/runtime"},
	"wrapper":  {"gen", "internal/jsonscan", "internal/loopback"},

	"outbox":                   {"gen", "wrapper"},
	"outbox/internal/together": {"outbox"},
	"outbox/memstore":          {"outbox"},
	"outbox/sqlitestore":       {"outbox", "outbox/internal/together", "modernc.org/sqlite", "golang.org/x/sys"},
	"outbox/natsstore":         {"outbox", "outbox/internal/together", "github.com/nats-io/nats.go", "github.com/nats-io/nuid"},
	"outbox/pgstore":           {"outbox", "outbox/internal/together", "github.com/jackc/pgx/v5"},
	"outbox/storetest":         {"outbox", "gen", "wrapper", "github.com/stretchr/testify", "pgregory.net/rapid"},

	"conformance": {
		"contract", "gen", "internal/jsonscan", "internal/loopback",
		"github.com/getkin/kin-openapi", "github.com/go-json-experiment/json", "go.yaml.in/yaml/v3",
	},
	"conformance/fake":           {"contract", "gen", "conformance", "internal/jsonscan", "internal/loopback", "go.yaml.in/yaml/v3"},
	"conformance/fake/faketest":  {"conformance/fake", "gen", "wrapper"},
	"conformance/fake/statefile": {"internal/boltfile", "go.etcd.io/bbolt"},

	"cmd/bentoctl": {
		"cmd/bentoctl/internal/intake", "contract", "conformance", "conformance/fake", "conformance/fake/statefile", "gen", "wrapper",
		"outbox", "outbox/natsstore", "outbox/pgstore", "outbox/sqlitestore", "internal/boltfile", "internal/loopback",
		"github.com/jackc/pgx/v5", "github.com/nats-io/nats.go", "github.com/spf13/cobra", "github.com/spf13/pflag",
		"github.com/zalando/go-keyring", "go.etcd.io/bbolt", "go.yaml.in/yaml/v3",
		"golang.org/x/term",
	},
	"cmd/bentoctl/internal/intake": {"conformance", "internal/jsonscan", "github.com/go-json-experiment/json", "golang.org/x/text"},

	// What users copy holds nothing that they could not import.
	"examples/relay":  {"outbox", "outbox/sqlitestore", "wrapper"},
	"examples/signup": {"outbox", "outbox/sqlitestore", "wrapper"},

	// What rooms share knows no room.
	"internal/arrivals":    {"go.etcd.io/bbolt"},
	"internal/boltfile":    {"go.etcd.io/bbolt"},
	"internal/cast":        {"github.com/creack/pty"},
	"internal/fleet":       {},
	"internal/generate":    {"github.com/getkin/kin-openapi"},
	"internal/jsonscan":    {},
	"internal/loopback":    {},
	"internal/mixhar":      {},
	"internal/natscluster": {"github.com/nats-io/nats.go"},
	"internal/mutate":      {},
	"internal/needed":      {},
	"internal/pgcluster":   {"github.com/jackc/pgx/v5"},
	"internal/rename":      {},
	"internal/scratch":     {},
	"internal/treecopy":    {},

	"internal/natscluster/node": {"internal/natscluster", "github.com/nats-io/nats-server/v2"},

	// Tests alone.
	"checks/api":   {},
	"checks/rooms": {},
}
