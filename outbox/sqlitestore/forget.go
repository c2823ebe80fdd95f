package sqlitestore

import (
	"context"
	"database/sql"
	"time"

	"example.com/bento-go/outbox"
)

// Forget is as [outbox.Store] has it.
func (s *Store) Forget(ctx context.Context, lane outbox.Lane, before time.Time, most int) (gone int, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		var ids []int64
		old := "SELECT id FROM entries WHERE state IN ('accepted', 'failed', 'discarded') AND lane = ? AND changed < ? ORDER BY changed, id LIMIT ?"
		err := each(ctx, tx, old, func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			ids = append(ids, id)
			return err
		}, numberOf(lane), nanos(before), most)
		if err != nil || len(ids) == 0 {
			return err
		}
		gone = len(ids)
		for _, statement := range []string{
			"INSERT INTO totals SELECT lane, 'discarded', '" + string(outbox.CauseForgotten) + "', count(*) FROM entries WHERE state = 'failed' AND " + listed + " GROUP BY lane" + adding,
			"DELETE FROM history WHERE entry IN (SELECT value FROM json_each(?))",
			"DELETE FROM entries WHERE " + listed,
		} {
			if _, err := tx.ExecContext(ctx, statement, listOf(ids)); err != nil {
				return err
			}
		}
		return nil
	})
	s.remains.removed(gone > 0, err)
	return gone, err
}
