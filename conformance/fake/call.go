package fake

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"example.com/bento-go/gen"
	"example.com/bento-go/internal/jsonscan"
)

const (
	// maxBody bounds a request; a full batch is well below a megabyte.
	maxBody = 10 << 20
	// smallBody is read by whoever comes; larger ones by so many at a time.
	smallBody, maxLarge = 256 << 10, 32
)

var errBody = errors.New("the body broke off or is larger than 10 MiB")

// readBody takes a request's body into memory.
func (s *Server) readBody(w http.ResponseWriter, req *http.Request) ([]byte, error) {
	if req.ContentLength > maxBody {
		return nil, errBody
	}
	var body bytes.Buffer
	body.Grow(int(min(max(req.ContentLength, 0), smallBody)) + bytes.MinRead)
	if n, err := body.ReadFrom(io.LimitReader(req.Body, smallBody)); err != nil {
		return nil, errBody
	} else if n < smallBody {
		return body.Bytes(), nil
	}
	select {
	case s.large <- struct{}{}:
		defer func() { <-s.large }()
	case <-req.Context().Done():
		return nil, errBody
	}
	if rest := req.ContentLength - smallBody; rest > 0 {
		body.Grow(int(rest) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(http.MaxBytesReader(w, req.Body, maxBody-smallBody)); err != nil {
		return nil, errBody
	}
	return body.Bytes(), nil
}

// A call is a request that the contract allows, with its body read.
type call struct {
	*http.Request
	op      gen.Operation
	body    []byte
	changes []change // of a batch
}

// id is the {id} of the path.
func (c *call) id() string {
	pattern, path := strings.Split(c.op.Path, "/"), strings.Split(c.URL.Path, "/")
	return path[len(path)-len(pattern)+slices.Index(pattern, "{id}")]
}

// site is the site the request is about; only lenient mode lets a body name it.
func (c *call) site() string {
	if site := c.URL.Query().Get("site_uuid"); site != "" {
		return site
	}
	return siteInBody(c.body)
}

// records returns the records under key, each as it was sent; a single one may stand for itself.
// They are part of the body: who keeps one copies it.
func (c *call) records(key string) [][]byte {
	scan := jsonscan.Cursor{Body: c.body}
	var all [][]byte
	one := func() error {
		scan.Blank()
		from := scan.At
		err := scan.Skip()
		all = append(all, c.body[from:scan.At])
		return err
	}
	_ = scan.Members("", func(name []byte) error {
		switch {
		case string(name) != key:
			return scan.Skip()
		case scan.Next() == '[':
			return scan.Items("", one)
		}
		return one()
	})
	return all
}
