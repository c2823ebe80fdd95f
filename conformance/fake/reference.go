package fake

import (
	"bytes"
	"net/http"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	contract "example.com/bento-go"
	"example.com/bento-go/gen"
)

// document is the contract as a tree, with its comments.
var document = sync.OnceValues(func() (*yaml.Node, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(contract.OpenAPI(), &root); err != nil {
		return nil, err
	}
	return root.Content[0], nil
})

// section returns the part of the contract at a JSON pointer, as it is written there; nil if there
// is none.
func section(pointer string) []byte {
	node, err := document()
	if err != nil {
		return nil
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if node = member(node, strings.NewReplacer("~1", "/", "~0", "~").Replace(name)); node == nil {
			return nil
		}
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if encoder.Encode(spelledOut(node)) != nil {
		return nil
	}
	return text.Bytes()
}

// spelledOut returns a copy of a node in which nothing stands for what is elsewhere.
func spelledOut(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return spelledOut(node.Alias)
	}
	plain := *node
	plain.Anchor, plain.Content = "", nil
	for i, child := range node.Content {
		switch {
		case node.Kind == yaml.MappingNode && i%2 == 0 && child.Tag == "!!merge":
		case node.Kind == yaml.MappingNode && i%2 == 1 && node.Content[i-1].Tag == "!!merge":
			plain.Content = append(plain.Content, spelledOut(child).Content...)
		default:
			plain.Content = append(plain.Content, spelledOut(child))
		}
	}
	return &plain
}

func member(object *yaml.Node, name string) *yaml.Node {
	if object.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(object.Content); i += 2 {
		if object.Content[i].Value == name {
			return object.Content[i+1]
		}
	}
	return nil
}

// serveSection answers with the part of the contract that ?at names: a pointer, or an operationId.
func serveSection(w http.ResponseWriter, req *http.Request) {
	at := req.URL.Query().Get("at")
	if op, known := gen.OperationByID(at); known {
		at = "/paths/" + strings.ReplaceAll(op.Path, "/", "~1") + "/" + strings.ToLower(op.Method)
	}
	text := section(at)
	if text == nil {
		fail(http.StatusNotFound, "no such place in the contract").write(w, req)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(text)
}
