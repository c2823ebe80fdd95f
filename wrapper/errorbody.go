package bento

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const (
	maxMessage     = 300 // bytes of a message that go into an error's text
	maxFieldErrors = 20
)

// readErrorBody finds what an error's body says. Its shape varies by the age of the endpoint:
// {"error": …}, {"message": …}, {"errors": [{field, message}]}, {"errors": [{index, error}]},
// {"errors": {field: [message]}}, plain text, or nothing.
func readErrorBody(body []byte) (message string, fields []FieldError) {
	if !json.Valid(body) {
		return oneLine(string(body)), nil
	}
	var members struct {
		Error, Message, Errors json.RawMessage
	}
	if json.Unmarshal(body, &members) != nil {
		return oneLine(jsonText(body)), nil
	}
	message = jsonText(members.Error)
	if message == "" {
		message = jsonText(members.Message)
	}
	fields = readFieldErrors(members.Errors)
	if message == "" && len(fields) == 0 {
		message = jsonText(members.Errors)
	}
	return oneLine(message), fields[:min(len(fields), maxFieldErrors)]
}

func readFieldErrors(raw json.RawMessage) []FieldError {
	var list []struct {
		Field, Message, Detail, Title string
		Error, Index                  json.RawMessage
	}
	if json.Unmarshal(raw, &list) == nil {
		fields := make([]FieldError, 0, len(list))
		for _, item := range list {
			if index, err := strconv.Atoi(strings.Trim(string(item.Index), `"`)); err == nil && item.Field == "" {
				item.Field = fmt.Sprintf("index %d", index) // of what is in the request
			}
			message := firstNonEmpty(item.Message, jsonText(item.Error), item.Detail, item.Title)
			fields = append(fields, FieldError{oneLine(item.Field), oneLine(message)})
		}
		return fields
	}
	var byField map[string]json.RawMessage
	if json.Unmarshal(raw, &byField) != nil {
		return nil
	}
	var fields []FieldError
	for _, field := range slices.Sorted(maps.Keys(byField)) {
		fields = append(fields, FieldError{oneLine(field), oneLine(jsonText(byField[field]))})
	}
	return fields
}

// jsonText is the text of a JSON string, or of the strings in a list, or of a message member;
// of anything else it is empty.
func jsonText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return strings.Join(list, ", ")
	}
	var object struct{ Message string }
	_ = json.Unmarshal(raw, &object)
	return object.Message
}

func firstNonEmpty(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// oneLine folds white space and control characters and cuts what is too long for an error.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	return s
}
