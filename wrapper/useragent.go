package bento

import (
	"fmt"
	"strings"

	"example.com/bento-go/gen"
)

// maxUserAgent is far above any real agent and far below any server's header limit.
const maxUserAgent = 256

// checkUserAgent refuses what Bento may block. The conventions: "Use a real app name, such as
// AcmeCRM/1.0"; a missing or generic one is the most common cause of a 403.
func checkUserAgent(agent string) error {
	const want = `name your application and its version, such as "AcmeCRM/1.0"`
	if strings.TrimSpace(agent) == "" {
		return fmt.Errorf("UserAgent (%s) is empty, and Bento may block requests without one: %s", EnvUserAgent, want)
	}
	if len(agent) > maxUserAgent {
		return fmt.Errorf("UserAgent (%s) is longer than %d bytes: %s", EnvUserAgent, maxUserAgent, want)
	}
	if strings.ContainsFunc(agent, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Errorf("UserAgent (%s) holds a control or non-ASCII character: %s", EnvUserAgent, want)
	}
	if gen.GenericAgent(agent) {
		return fmt.Errorf("UserAgent (%s) is %q, a generic agent that Bento may block: %s", EnvUserAgent, agent, want)
	}
	return nil
}
