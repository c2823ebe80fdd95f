package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"example.com/bento-go/outbox"
)

// adding makes an insertion into totals add to what is there.
const adding = " ON CONFLICT DO UPDATE SET n = n + excluded.n"

// listOf is how IDs go into a statement.
func listOf(ids []int64) string {
	list := make([]byte, 0, 2+8*len(ids))
	list = append(list, '[')
	for i, id := range ids {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, id, 10)
	}
	return string(append(list, ']'))
}

// listed is the condition that an entry is one of a list.
const listed = "id IN (SELECT value FROM json_each(?))"

// nanos is a time as the file has it.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// A querier is the file, or a transaction in it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each reads the rows of a query.
func each(ctx context.Context, from querier, query string, row func(scan func(...any) error) error, args ...any) error {
	rows, err := from.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	scan := func(into ...any) error {
		if rows.Scan(into...) != nil {
			return fmt.Errorf("%w: a row is not what was written", outbox.ErrDamaged) // its own error would quote it
		}
		return nil
	}
	for rows.Next() {
		if err := row(scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
