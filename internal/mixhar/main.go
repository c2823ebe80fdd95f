// Command mixhar writes a recording to measure by: 1,000 reads, 800 posts of 1 to 5 events and
// 200 posts of 1,000, all of them conformant, about 47 MB; -times repeats them.
//
// Usage: go run ./internal/mixhar [-times N] >mixed.har
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	times := flag.Int("times", 1, "how often the 2,000 exchanges are written")
	flag.Parse()
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	err := write(out, *times)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mixhar:", err)
		os.Exit(1)
	}
}

func write(w io.Writer, times int) error {
	if _, err := io.WriteString(w, `{"log":{"version":"1.2","creator":{"name":"mixhar","version":"1"},"entries":[`); err != nil {
		return err
	}
	tags := tagList()
	for n := range 2000 * times {
		e := entry("GET", "/fetch/tags", "", tags)
		switch {
		case n%10 == 9:
			e = entry("POST", "/batch/events", eventList(n, 1000), `{"results":1000,"failed":0}`)
		case n%2 == 1:
			e = entry("POST", "/batch/events", eventList(n, 1+n%5), fmt.Sprintf(`{"results":%d,"failed":0}`, 1+n%5))
		}
		if n > 0 {
			e = ",\n" + e
		}
		if _, err := io.WriteString(w, e); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "]}}\n")
	return err
}

func entry(method, path, body, answer string) string {
	post := ""
	if body != "" {
		post = fmt.Sprintf(`"postData":{"mimeType":"application/json","text":%s},`, quote(body))
	}
	return fmt.Sprintf(`{"startedDateTime":"2026-06-10T09:30:00.000Z","time":12.5,"request":{"method":%q,`+
		`"url":"https://app.bentonow.com/api/v1%s?site_uuid=REDACTED","httpVersion":"HTTP/2","cookies":[],"headers":[`+
		`{"name":"Authorization","value":"Basic [redacted]"},{"name":"User-Agent","value":"AcmeCRM/1.0"},{"name":"Content-Type","value":"application/json"}],`+
		`"queryString":[{"name":"site_uuid","value":"REDACTED"}],%s"headersSize":-1,"bodySize":%d},"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/2",`+
		`"cookies":[],"headers":[{"name":"Content-Type","value":"application/json; charset=utf-8"}],"content":{"size":%d,"mimeType":"application/json","text":%s},`+
		`"redirectURL":"","headersSize":-1,"bodySize":%d},"cache":{},"timings":{"send":0,"wait":12,"receive":0.5}}`,
		method, path, post, len(body), len(answer), quote(answer), len(answer))
}

func quote(s string) string {
	quoted, _ := json.Marshal(s) //nolint:errchkjson // a string
	return string(quoted)
}

func eventList(seed, n int) string {
	events := make([]string, n)
	for i := range events {
		events[i] = fmt.Sprintf(`{"type":"$purchase","email":"person%d@example.com","fields":{"first_name":"Ari"},"details":{"unique":{"key":"order-%d-%d"},`+
			`"value":{"currency":"USD","amount":%d}}}`, i, seed, i, 100+i)
	}
	return `{"events":[` + strings.Join(events, ",") + `]}`
}

func tagList() string {
	tags := make([]string, 12)
	for i := range tags {
		tags[i] = fmt.Sprintf(`{"id":"%d","type":"tags","attributes":{"name":"tag %d","created_at":"2024-08-06T05:44:04.444Z","discarded_at":null,"site_id":123}}`, 1000+i, i)
	}
	return `{"data":[` + strings.Join(tags, ",") + `]}`
}
