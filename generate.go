// Package contract holds the OpenAPI contract of Bento's API, the single source of truth of
// this module, embedded as bytes.
//
// It imports nothing: whoever wants the contract parsed brings a parser. The typed client
// generated from it is package gen, the client most programs want is package bento (directory
// wrapper), and package conformance judges traffic by it.
//
// After a change of openapi.yaml, `go generate ./...` (or `make generate`) rewrites gen/.
package contract

import _ "embed"

//go:generate go run ./internal/generate

//go:embed openapi.yaml
var openAPI string

// OpenAPI returns the contract: an OpenAPI 3.0.3 document in YAML, with the comments its
// readers see. Every call returns a fresh copy.
func OpenAPI() []byte { return []byte(openAPI) }
