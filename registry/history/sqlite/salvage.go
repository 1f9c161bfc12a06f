// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/wippyrun/kit/registry"
)

// Salvaged tells what Salvage could keep.
type Salvaged struct {
	// Kept is how many versions were kept, the root not counted.
	Kept int
	// Lost lists the versions that are damaged, and those that come after one of them.
	Lost []uint64
	// Head is where the new history is: at the old head, or at the newest version kept.
	Head registry.Version
}

// Salvage writes a new database to the path to, which must not exist, with every version
// of a damaged one that is whole together with all versions before it. It cannot know of
// versions that were lost from the end. The damaged database is only read; it must have
// the present schema, which every database has once it was opened.
func Salvage(ctx context.Context, from, to string) (Salvaged, error) {
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return Salvaged{}, errors.Join(fmt.Errorf("sqlite history: %s exists already", to), err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(to), ".salvage")
	if err != nil {
		return Salvaged{}, fmt.Errorf("sqlite history: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a copy nobody needs
	// SQLite would change the database when it opens it.
	work := filepath.Join(dir, "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		if err := copyFile(work+suffix, from+suffix); err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return Salvaged{}, fmt.Errorf("sqlite history: %w", err)
		}
	}
	rows, head, err := readWhole(ctx, work)
	if err != nil {
		return Salvaged{}, err
	}
	var out Salvaged
	rows, out.Lost = connected(rows)
	out.Kept = len(rows) - 1
	at := len(rows) - 1
	if i := slices.IndexFunc(rows, func(w row) bool { return head != nil && w.id == *head }); i >= 0 {
		at = i
	}
	out.Head = registry.Version{ID: rows[at].id, Parent: rows[at].parent}
	return out, write(ctx, to, rows, out.Head)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// maxGap is how many versions in a row may be damaged before Salvage gives up looking for
// more. It keeps a damaged number from making it look for ever.
const maxGap = 100_000

// readWhole returns the rows that match their checksums, in order, with rows that have
// only an id in place of the others, and the head, if it is readable.
func readWhole(ctx context.Context, path string) (rows []row, head *uint64, err error) {
	db, err := sql.Open("sqlite", dsn(path, newConfig(nil), false))
	if err != nil {
		return nil, nil, fmt.Errorf("sqlite history: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.PingContext(ctx); err != nil {
		return nil, nil, fmt.Errorf("sqlite history: %s cannot be opened at all: %w", path, err)
	}
	last := uint64(0)
	if v, err := readHead(ctx, db); err == nil {
		head, last = &v.ID, v.ID
	}
	for _, query := range []string{`SELECT max(id) FROM versions`, `SELECT max(version_id) FROM changesets`} {
		var id sql.NullInt64
		// One answer is enough, and none at all means that nothing can be read.
		if db.QueryRowContext(ctx, query).Scan(&id) == nil && id.Valid {
			last = max(last, uint64(id.Int64))
		}
	}
	whole := 0
	for id := uint64(0); id <= last && len(rows)-whole < maxGap; id++ {
		// By itself each, since a damaged page hides only what is on it.
		w, err := scanRow(db.QueryRowContext(ctx, selectRows+` WHERE v.id = ?`, int64(id)))
		if err := ctx.Err(); err != nil {
			return nil, nil, fmt.Errorf("sqlite history: %w", err)
		}
		if err != nil || w.id != id {
			rows = append(rows, row{id: id})
			continue
		}
		rows = append(rows, w)
		whole = len(rows)
	}
	return rows, head, nil
}

// connected separates the rows with a way to the root, which is made anew if need be,
// from the others.
func connected(rows []row) (kept []row, lost []uint64) {
	root, err := newRow(registry.Record{}, nil)
	if err != nil { // an empty changeset can be encoded
		panic("sqlite history: " + err.Error())
	}
	kept = append(kept, root)
	known := map[uint64]bool{0: true}
	for _, w := range rows {
		switch {
		case w.id == 0:
		case w.data == nil || !known[w.parent]:
			lost = append(lost, w.id)
		default:
			known[w.id] = true
			kept = append(kept, w)
		}
	}
	return kept, lost
}

// write makes a database of rows.
func write(ctx context.Context, path string, rows []row, head registry.Version) error {
	h, err := Open(ctx, path)
	if err != nil {
		return err
	}
	err = func() error {
		tx, err := h.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // a no-op after Commit
		for _, w := range rows[1:] {
			if err := w.store(ctx, tx); err != nil {
				return err
			}
		}
		if _, err := tx.StmtContext(ctx, h.setHead).ExecContext(ctx, int64(head.ID), headSum(head.ID)); err != nil {
			return err
		}
		return tx.Commit()
	}()
	return errors.Join(h.fault("salvage", err), h.Close())
}
