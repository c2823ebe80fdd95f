package gen

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// Answers of older endpoints wrap what newer ones say plainly, and PHP writes an empty object as
// an empty array. The methods of this file take both; they are of the generated types.

// UnmarshalJSON takes the counts, or the counts in `data`.
func (p *PeopleCount) UnmarshalJSON(b []byte) error {
	type plain PeopleCount
	return unwrap(b, (*plain)(p), "user_count", "data")
}

// UnmarshalJSON takes the counts, or the counts in `data`. An answer without counts has accepted
// nothing that it speaks of.
func (r *BatchResult) UnmarshalJSON(b []byte) error {
	type plain BatchResult
	return orMissing(unwrap(b, (*plain)(r), "results", "data"))
}

// UnmarshalJSON takes anything. What names no record has Index -1: what an answer says of single records
// must not hide how many it took.
func (e *RecordError) UnmarshalJSON(b []byte) error {
	*e = RecordError{}
	e.Index, _, e.Error = refused(b)
	return nil
}

// UnmarshalJSON takes anything. What names no draft has Index -1.
func (f *BroadcastFailure) UnmarshalJSON(b []byte) error {
	*f = BroadcastFailure{}
	f.Index, f.Name, f.Error = refused(b)
	return nil
}

// refused is what was refused, by its place among what was sent, and why.
func refused(b []byte) (index int, name, why string) {
	var said struct {
		Index       json.Number
		Name, Error any
	}
	if json.Unmarshal(b, &said) != nil {
		return -1, "", ""
	}
	name, _ = said.Name.(string)
	why, _ = said.Error.(string)
	index, err := strconv.Atoi(said.Index.String())
	if err != nil {
		index = -1
	}
	return index, name, why
}

// UnmarshalJSON takes the result, or the result in `data`.
func (r *CreateBroadcastsResult) UnmarshalJSON(b []byte) error {
	type plain CreateBroadcastsResult
	return orMissing(unwrap(b, (*plain)(r), "results", "data"))
}

// orMissing lets pass that a member is missing.
func orMissing(err error) error {
	if _, missing := err.(MissingError); missing { //nolint:errorlint // unwrap does not wrap it
		return nil
	}
	return err
}

// UnmarshalJSON takes the verdict, or the verdict in `data`.
func (v *Validity) UnmarshalJSON(b []byte) error {
	type plain Validity
	return unwrap(b, (*plain)(v), "valid", "data")
}

// UnmarshalJSON takes the verdict, or the verdict in `data`.
func (r *ModerationResult) UnmarshalJSON(b []byte) error {
	type plain ModerationResult
	return unwrap(b, (*plain)(r), "valid", "data")
}

// UnmarshalJSON takes the verdict, or the verdict in `data`.
func (r *RulesetResult) UnmarshalJSON(b []byte) error {
	type plain RulesetResult
	if err := unwrap(b, (*plain)(r), "reasons", "data"); orMissing(err) != nil || err == nil {
		return err
	}
	return unwrap(b, (*plain)(r), "valid", "data")
}

// UnmarshalJSON takes the report, or the report in `report_data`.
func (r *Report) UnmarshalJSON(b []byte) error {
	type plain Report
	return unwrap(b, (*plain)(r), "data", "report_data")
}

// UnmarshalJSON takes an object or nothing.
func (s *BroadcastStats) UnmarshalJSON(b []byte) error {
	type plain BroadcastStats
	return orNothing(b, (*plain)(s))
}

// UnmarshalJSON takes an object or nothing.
func (t *BroadcastTemplate) UnmarshalJSON(b []byte) error {
	type plain BroadcastTemplate
	return orNothing(b, (*plain)(t))
}

// UnmarshalJSON takes an object or nothing.
func (m *SearchMeta) UnmarshalJSON(b []byte) error {
	type plain SearchMeta
	return orNothing(b, (*plain)(m))
}

func orNothing[T any](b []byte, into *T) error {
	if isNothing(b) {
		return nil
	}
	return json.Unmarshal(b, into)
}

// unwrap decodes an object that has the member, or the one that the wrapper holds. An answer
// with neither says nothing; to take it for zeros would be a lie.
func unwrap[T any](b []byte, into *T, member, wrapper string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return err
	}
	if value, given := members[member]; given && (string(value) != "null" || member == "data") {
		return json.Unmarshal(b, into)
	}
	var inner One[map[string]json.RawMessage]
	if wrapped, ok := members[wrapper]; ok && json.Unmarshal(wrapped, &inner) == nil && inner.Value != nil {
		if value, found := (*inner.Value)[member]; found && string(value) != "null" {
			one := One[T]{}
			err := json.Unmarshal(wrapped, &one)
			if one.Value != nil {
				*into = *one.Value
			}
			return err
		}
	}
	return MissingError(member)
}

// A MissingError names the member without which an answer says nothing.
type MissingError string

func (e MissingError) Error() string { return "the answer has no member " + string(e) }

// isNothing reports whether b, as the decoder passes it, holds no resource: null, {}, [] or
// [null].
func isNothing(b []byte) bool {
	if b = bytes.TrimSpace(b); len(b) == 0 || bytes.Equal(b, []byte("null")) {
		return true
	}
	if b[0] != '{' && b[0] != '[' {
		return false
	}
	inner := bytes.TrimSpace(b[1 : len(b)-1])
	return len(inner) == 0 || b[0] == '[' && bytes.Equal(inner, []byte("null"))
}
