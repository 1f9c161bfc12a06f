// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"modernc.org/sqlite"

	"github.com/wippyrun/kit/registry"
)

// verify reads all of an existing database and compares it with its checksums, without
// writing to it, so that what is damaged stays as it is for whoever repairs it.
func (h *History) verify(ctx context.Context, c config) error {
	switch info, err := os.Stat(h.path); {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("sqlite history: %w", err)
	case info.Size() == 0:
		// SQLite would take the log of an empty database for a leftover and delete it.
		if log, err := os.Stat(h.path + "-wal"); err == nil && log.Size() > 0 {
			return &CorruptError{Path: h.path, Err: errors.New("the file is empty, its write-ahead log is not")}
		}
		return nil
	}
	if c.sync == Full {
		if err := checkWAL(h.path); err != nil {
			return h.fault("check", err)
		}
	}
	db, err := sql.Open("sqlite", dsn(h.path, c, true))
	if err != nil {
		return fmt.Errorf("sqlite history: %w", err)
	}
	err = h.fault("check", verifyAll(ctx, db))
	return errors.Join(err, db.Close())
}

func verifyAll(ctx context.Context, db *sql.DB) error {
	// One connection and one transaction see one state.
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	if err := verifyStructure(ctx, tx); err != nil {
		return err
	}
	at, err := currentSchema(ctx, tx)
	if err != nil {
		return err
	}
	switch at {
	case 0:
		return nil
	case 1: // verified by its migration
		return nil
	}
	if err := verifySchema(ctx, tx); err != nil {
		return err
	}
	return verifyRows(ctx, tx)
}

// verifyStructure has SQLite check its trees.
func verifyStructure(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `PRAGMA quick_check(3)`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			found = append(found, text)
		}
	}
	if len(found) > 0 {
		return damage(errors.New(strings.Join(found, "; ")))
	}
	return rows.Err()
}

// verifySchema compares the definitions; another trigger would store other things.
func verifySchema(ctx context.Context, tx *sql.Tx) error {
	for _, o := range schema {
		var text string
		err := tx.QueryRowContext(ctx, `SELECT sql FROM sqlite_master WHERE type = ? AND name = ?`, o.kind, o.name).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) || err == nil && text != o.sql {
			return damage(fmt.Errorf("the %s %s is missing or changed", o.kind, o.name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// verifyRows checks every version and that the versions form a tree with a head.
func verifyRows(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, selectRows+` ORDER BY v.id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	known := map[uint64]bool{}
	for rows.Next() {
		w, err := scanRow(rows)
		if err != nil {
			return err
		}
		if w.id != 0 && !known[w.parent] {
			return damage(fmt.Errorf("v%d has the parent v%d, which does not exist", w.id, w.parent))
		}
		known[w.id] = true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if !known[0] {
		return damage(errors.New("v0 is missing"))
	}
	var changesets int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM changesets`).Scan(&changesets); err != nil {
		return err
	}
	if changesets != len(known) {
		return damage(fmt.Errorf("%d changesets for %d versions", changesets, len(known)))
	}
	_, err = readHead(ctx, tx)
	return err
}

// selectRows is the beginning of a query whose rows scanRow takes.
const selectRows = `SELECT v.id, v.parent_id, v.time, v.author, v.comment, v.summary, c.data, c.checksum FROM versions v LEFT JOIN changesets c ON c.version_id = v.id`

// scanRow reads a row and checks it.
func scanRow(from interface{ Scan(...any) error }) (row, error) {
	var w row
	var parent sql.NullInt64
	var checksum sql.NullInt64
	if err := from.Scan(&w.id, &parent, &w.time, &w.author, &w.comment, &w.summary, &w.data, &checksum); err != nil {
		return w, unlessConversion(err)
	}
	w.parent, w.checksum = uint64(parent.Int64), checksum.Int64
	if parent.Valid != (w.id != 0) || !checksum.Valid {
		return w, damage(fmt.Errorf("v%d has no parent or no changeset", w.id))
	}
	if err := w.check(); err != nil {
		return w, damage(err)
	}
	return w, nil
}

// unlessConversion turns an error of Scan into damage when it comes from a value of the
// wrong type, rather than from the database or the context.
func unlessConversion(err error) error {
	var se *sqlite.Error
	switch {
	case errors.As(err, &se), errors.Is(err, sql.ErrNoRows), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return damage(err)
}

// readHead reads the head and checks that it is there and one of the versions.
func readHead(ctx context.Context, q queryer) (registry.Version, error) {
	var v registry.Version
	var text string
	var sum int64
	err := q.QueryRowContext(ctx, `SELECT m.value, m.checksum, v.id, coalesce(v.parent_id, 0) FROM metadata m
		JOIN versions v ON v.id = CAST(m.value AS INTEGER) WHERE m.key = 'head'`).Scan(&text, &sum, &v.ID, &v.Parent)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return v, damage(errNoHead)
	case err == nil && sum != metadataSum("head", text):
		return v, damage(errors.New("the head does not match its checksum"))
	case err != nil:
		err = unlessConversion(err)
	}
	return v, err
}
