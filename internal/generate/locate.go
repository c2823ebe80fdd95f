package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// A placed error knows its line in the contract.
type placed struct {
	line int
	err  error
}

func (p *placed) Error() string { return p.err.Error() }
func (p *placed) Unwrap() error { return p.err }

// at places an error at an operation.
func at(op *openapi3.Operation, err error) error {
	if op.Origin == nil || op.Origin.Key == nil {
		return err
	}
	return &placed{op.Origin.Key.Line, err}
}

var (
	yamlLine = regexp.MustCompile(`line (\d+)(?:, column \d+)?:? (.*)`)
	quoted   = regexp.MustCompile(`["'` + "`" + `\[]([^"'` + "`" + `\[\]]{2,})["'` + "`" + `\]]`)
)

// locate makes one line of an error: file, line and what is wrong. Where the parser gives no
// line, the words that it quotes are looked up.
func locate(contract []byte, err error) error {
	text := strings.Join(strings.Fields(err.Error()), " ")
	var p *placed
	if errors.As(err, &p) {
		return fmt.Errorf("%s:%d: %s", contractFile, p.line, text)
	}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s:%s: %s", contractFile, m[1], m[2])
	}
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		if i := bytes.Index(contract, []byte(m[1])); i >= 0 {
			return fmt.Errorf("%s:%d: %s", contractFile, 1+bytes.Count(contract[:i], []byte("\n")), text)
		}
	}
	return fmt.Errorf("%s:1: %s", contractFile, text)
}
