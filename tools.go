//go:build ignore

// The index of the tools this module runs: what each is for and where it is used. The pin is
// go.mod's tool line, `go tool NAME` the runner; a test holds the three equal.
//
// The tag is `ignore`, not `tools`: with `tools`, everybody who imports this module would
// carry the generator's whole module graph in go.sum.

package contract

import (
	// Generates gen/ from openapi.yaml; run by internal/generate, see gen/*.cfg.yaml.
	_ "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen"
)
