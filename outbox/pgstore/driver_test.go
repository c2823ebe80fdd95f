package pgstore_test

import (
	"context"
	"database/sql/driver"
)

// An otherDriver is not pgx's.
type otherDriver struct{}

func (otherDriver) Connect(context.Context) (driver.Conn, error) { return otherConn{}, nil }
func (d otherDriver) Driver() driver.Driver                      { return d }
func (otherDriver) Open(string) (driver.Conn, error)             { return otherConn{}, nil }

type otherConn struct{ driver.Conn }

func (otherConn) Close() error { return nil }
