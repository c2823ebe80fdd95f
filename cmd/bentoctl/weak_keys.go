package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"

	contract "example.com/bento-go"
	bento "example.com/bento-go/wrapper"
)

// minKey is how long a key is at least that a recording looks for in bodies.
const minKey = 4

// A keyWatch warns of keys that no recording can tell from the rest of a body: once of each kind.
type keyWatch struct {
	next http.RoundTripper
	out  io.Writer

	mu   sync.Mutex
	told map[string]bool
}

func newKeyWatch(out io.Writer, next http.RoundTripper) *keyWatch {
	return &keyWatch{next: next, out: out, told: map[string]bool{}}
}

// fromEnvironment looks at the keys that the environment gives.
func (w *keyWatch) fromEnvironment() {
	w.look(os.Getenv(bento.EnvPublishableKey), os.Getenv(bento.EnvSecretKey), os.Getenv(bento.EnvSiteUUID))
}

func (w *keyWatch) RoundTrip(req *http.Request) (*http.Response, error) {
	publishable, secret, _ := req.BasicAuth()
	w.look(publishable, secret, req.URL.Query().Get("site_uuid"))
	return w.next.RoundTrip(req)
}

func (w *keyWatch) look(publishable, secret, site string) {
	for _, of := range []struct{ name, key string }{{"publishable key", publishable}, {"secret key", secret}, {"site_uuid", site}} {
		if trouble := troubleOf(of.key); trouble != "" {
			w.tell("the " + of.name + " " + trouble)
		}
	}
}

func (w *keyWatch) tell(warning string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.told[warning] {
		w.told[warning] = true
		fmt.Fprintln(w.out, "warning:", warning)
	}
}

// troubleOf says what a recording makes of a key that is not as long and as random as Bento's own, and ""
// of any other.
func troubleOf(key string) string {
	switch {
	case key == "":
		return ""
	case len(key) < minKey:
		return fmt.Sprintf("is shorter than %d bytes: the recording keeps it where it stands in a body", minKey)
	case isContractWord(key):
		return "is a word of the contract: it is redacted in bodies wherever it stands, in names too, and check may miss them"
	}
	return ""
}

// contractNames are what the contract calls its members, parameters and operations' paths.
var contractNames = sync.OnceValue(func() string {
	return strings.Join(regexp.MustCompile(`[$\w/{}.-]+:`).FindAllString(string(contract.OpenAPI()), -1), "\n")
})

// isContractWord reports whether a key is such a name, or a part of one.
func isContractWord(key string) bool { return strings.Contains(contractNames(), key) }
