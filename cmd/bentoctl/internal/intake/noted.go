package intake

import (
	"bytes"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"example.com/bento-go/internal/jsonscan"
)

// Noted is a line of NDJSON with two members more, where it stood and why it was left out; Next drops them.
// What is no object is kept as a text.
func Noted(line []byte, number int, reason string) ([]byte, error) {
	note := map[string]any{noteLine: number, noteReason: reason}
	whole := bytes.TrimSpace(line)
	if !jsontext.Value(whole).IsValid() || whole[0] != '{' {
		note["bento_text"] = string(line)
		whole = nil
	}
	encoded, err := json.Marshal(note)
	if err != nil || len(whole) == 0 {
		return encoded, err
	}
	noted := append([]byte{}, bytes.TrimRight(whole[:len(whole)-1], " ")...)
	if len(noted) > 1 {
		noted = append(noted, ',')
	}
	return append(noted, encoded[1:]...), nil
}

const noteLine, noteReason = "bento_line", "bento_reason"

// unnoted takes out again what [Noted] added.
func unnoted(line []byte) []byte {
	scan := jsonscan.Cursor{Body: line}
	if !bytes.Contains(line, []byte(noteLine)) || scan.Next() != '{' {
		return line
	}
	plain := []byte{'{'}
	err := scan.Members("the record", func(name []byte) (err error) {
		scan.Blank()
		from := scan.At
		if err := scan.Skip(); err != nil || string(name) == noteLine || string(name) == noteReason {
			return err
		}
		if len(plain) > 1 {
			plain = append(plain, ',')
		}
		plain, err = jsontext.AppendQuote(plain, name)
		plain = append(append(plain, ':'), scan.Body[from:scan.At]...)
		return err
	})
	if err != nil || scan.Next() != 0 {
		return line
	}
	return append(plain, '}')
}
