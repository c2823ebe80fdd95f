package bento

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// maxShapeNames bounds the names that a shape lists.
const maxShapeNames = 30

// plainName is the name of a member that can hardly be somebody's data.
var plainName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// shapeOf describes the JSON body of a request without its values: events[1000]{email,type}. It
// reads a copy, so that the body itself is still to be sent, and is empty if there is none.
func shapeOf(req *http.Request) string {
	if req.GetBody == nil || !strings.HasPrefix(req.Header.Get("Content-Type"), "application/json") {
		return ""
	}
	body, err := req.GetBody()
	if err != nil {
		return ""
	}
	defer func() { _ = body.Close() }()
	var members map[string]json.RawMessage
	if json.NewDecoder(io.LimitReader(body, maxBatchBytes)).Decode(&members) != nil {
		return "not an object"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		parts = append(parts, plainly(name)+valueShape(members[name]))
	}
	return strings.Join(parts, ",")
}

// valueShape is {names} of an object, [count]{names} of a list of them, and empty otherwise.
func valueShape(value json.RawMessage) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) == nil && object != nil {
		return nameList(object)
	}
	var list []map[string]json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		return ""
	}
	all := map[string]json.RawMessage{}
	for _, item := range list {
		maps.Copy(all, item)
	}
	return fmt.Sprintf("[%d]", len(list)) + nameList(all)
}

func nameList(members map[string]json.RawMessage) string {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, plainly(name))
	}
	slices.Sort(names)
	sorted := slices.Compact(names)
	if more := len(sorted) - maxShapeNames; more > 0 {
		sorted = append(sorted[:maxShapeNames], fmt.Sprintf("%d more", more))
	}
	return "{" + strings.Join(sorted, ",") + "}"
}

// plainly withholds a name that may itself be somebody's data.
func plainly(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return "(name withheld)"
}
