// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/service/sql"
)

// maxMillis is the largest magnitude of a Unix time that SQLite columns hold in seconds.
const maxMillis = 1_000_000_000_000

// queryer runs statements that have rows.
type queryer interface {
	Type() string
	Query(ctx context.Context, text string, args []any, visit sql.Visit) error
}

// query makes the table of the rows of a statement. It runs outside the process.
func query(ctx context.Context, q queryer, text string, args []any) (lua.LValue, error) {
	var out *lua.LTable
	err := q.Query(ctx, text, args, func(rows *stdsql.Rows) (err error) {
		out, err = tables(rows, q.Type())
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// tables reads all rows.
func tables(rows *stdsql.Rows, dialect string) (*lua.LTable, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	cells, to := make([]cell, len(columns)), make([]any, len(columns))
	for i := range cells {
		to[i] = &cells[i]
	}
	if dialect == sql.SQLite {
		types, err := rows.ColumnTypes()
		if err != nil {
			return nil, err
		}
		for i, t := range types {
			cells[i].declare(t.DatabaseTypeName())
		}
	}
	out := engine.NewArray(0)
	for n := 1; rows.Next(); n++ {
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		row := engine.NewObject(len(columns))
		for i, name := range columns {
			row.RawSetString(name, cells[i].value)
		}
		out.RawSetInt(n, row)
	}
	return out, rows.Err()
}

// cell receives a value of one column. It implements sql.Scanner.
type cell struct {
	value        lua.LValue
	boolean, day bool // SQLite: declared as a boolean or a time
}

// declare sets the type that a SQLite column was declared with; SQLite itself does not mind.
func (c *cell) declare(name string) {
	switch strings.ToUpper(name) {
	case "BOOLEAN":
		c.boolean = true
	case "TIMESTAMP", "DATETIME", "DATE":
		c.day = true
	}
}

// Scan takes a value of the driver. Bytes are only good during the call.
func (c *cell) Scan(v any) error {
	c.value = c.convert(v)
	return nil
}

func (c *cell) convert(v any) lua.LValue {
	switch v := v.(type) {
	case nil:
		return lua.LNil
	case int64:
		switch {
		case c.boolean:
			return lua.LBool(v > 0)
		case c.day && (v > maxMillis || v < -maxMillis):
			return instant(time.UnixMilli(v))
		case c.day:
			return instant(time.Unix(v, 0))
		}
		return integer(v)
	case uint64:
		if v > maxExact {
			return lua.LString(strconv.FormatUint(v, 10))
		}
		return lua.LNumber(v)
	case float64:
		return lua.LNumber(v)
	case float32:
		return lua.LNumber(v)
	case bool:
		return lua.LBool(v)
	case string:
		if c.day {
			return instant(parseTime(v))
		}
		return lua.LString(v)
	case []byte:
		return lua.LString(v)
	case time.Time:
		return instant(v)
	default:
		return lua.LString(fmt.Sprint(v))
	}
}

// integer keeps every digit: what a number cannot hold becomes text.
func integer(v int64) lua.LValue {
	if v > maxExact || v < -maxExact {
		return lua.LString(strconv.FormatInt(v, 10))
	}
	return lua.LNumber(v)
}

func instant(t time.Time) lua.LValue { return lua.LString(t.UTC().Format(time.RFC3339)) }

// timeForms are the forms of times in SQLite columns, after a trailing Z was cut off.
var timeForms = func() (out []string) {
	for _, separator := range []string{" ", "T"} {
		for _, clock := range []string{"15:04:05.999999999", "15:04:05", "15:04"} {
			for _, zone := range []string{"", "-07:00"} {
				out = append(out, "2006-01-02"+separator+clock+zone)
			}
		}
	}
	return append(out, "2006-01-02")
}()

// parseTime reads a time in UTC. What is none is the zero time.
func parseTime(text string) time.Time {
	text = strings.TrimSuffix(text, "Z")
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil {
			return t
		}
	}
	return time.Time{}
}

// resultTable is what db:execute returns.
func resultTable(r sql.Result, err error) (lua.LValue, error) {
	if err != nil {
		return nil, err
	}
	t := engine.NewObject(2)
	t.RawSetString("last_insert_id", integer(r.LastInsertID))
	t.RawSetString("rows_affected", integer(r.RowsAffected))
	return t, nil
}
