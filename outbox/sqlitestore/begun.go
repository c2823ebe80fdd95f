package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"example.com/bento-go/outbox"
)

// Begun is as [outbox.Store] has it.
func (s *Store) Begun(ctx context.Context, lanes ...outbox.Lane) (all []time.Time, err error) {
	err = s.look(ctx, func(tx *sql.Tx) error {
		for _, lane := range lanes {
			begun, err := begunOf(ctx, tx, lane)
			if err != nil {
				return err
			}
			for _, at := range begun {
				all = append(all, moment(at))
			}
		}
		return nil
	})
	return all, err
}

// noteBegun notes that entries of a lane are begun.
func noteBegun(ctx context.Context, tx *sql.Tx, lane outbox.Lane, now time.Time) error {
	begun, err := begunOf(ctx, tx, lane)
	if errors.Is(err, outbox.ErrDamaged) { // which is no reason to send nothing, and is healed by this
		begun, err = nil, nil
	}
	if err != nil {
		return err
	}
	begun = append(begun[max(0, len(begun)-outbox.MostBegun+1):], nanos(now))
	_, err = tx.ExecContext(ctx, "UPDATE lanes SET begun = ? WHERE lane = ?", listOf(begun), numberOf(lane))
	return err
}

func begunOf(ctx context.Context, tx *sql.Tx, lane outbox.Lane) (begun []int64, err error) {
	var list []byte
	if err := tx.QueryRowContext(ctx, "SELECT begun FROM lanes WHERE lane = ?", numberOf(lane)).Scan(&list); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(list, &begun); err != nil {
		return nil, fmt.Errorf("%w: when entries were begun cannot be read", outbox.ErrDamaged)
	}
	return begun, nil
}
