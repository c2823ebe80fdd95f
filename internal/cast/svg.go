package main

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

const (
	charWidth, lineHeight = 8.4, 18
	margin                = 16
)

// svg draws the frames one on another; each is visible for its time, and then the session begins
// anew.
func (r *recording) svg() string {
	var total time.Duration
	for _, f := range r.frames {
		total += f.lasts
	}
	width, height := int(columns*charWidth)+2*margin, rows*lineHeight+2*margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="A session with bentoctl">`+"\n", width, height, width, height)
	b.WriteString("<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d7dde5;white-space:pre}g{visibility:hidden}\n")
	var at time.Duration
	for i, f := range r.frames {
		from, to := percent(at, total), percent(at+f.lasts, total)
		fmt.Fprintf(&b, "@keyframes f%d{0%%{visibility:hidden}%s{visibility:visible}%s{visibility:hidden}}#f%d{animation:f%d %.1fs step-end infinite}\n", i, from, to, i, i, total.Seconds())
		at += f.lasts
	}
	fmt.Fprintf(&b, "</style>\n"+`<rect width="%d" height="%d" rx="10" fill="#161b22"/>`+"\n", width, height)
	for i, f := range r.frames {
		fmt.Fprintf(&b, `<g id="f%d">`, i)
		for n, line := range strings.Split(strings.TrimRight(f.text, "\n"), "\n") {
			if line == "" {
				continue
			}
			fmt.Fprintf(&b, `<text x="%d" y="%d">`, margin, margin+(n+1)*lineHeight-4)
			_ = xml.EscapeText(&b, []byte(line))
			b.WriteString("</text>")
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func percent(part, whole time.Duration) string {
	return fmt.Sprintf("%.3f%%", 100*float64(part)/float64(whole))
}
