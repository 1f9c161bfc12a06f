// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/wippyrun/kit/registry"
)

// ErrInUse is what an operation fails with that waited in vain for another process, or
// another History, which has the database open or locked.
var ErrInUse = errors.New("sqlite history: another process holds the database")

// CorruptError reports a database that cannot be trusted.
type CorruptError struct {
	Path string
	Err  error
}

// Error names the file, what is wrong and what can be done.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("sqlite history: %s is damaged: %v (%s)", e.Path, e.Err, e.Hint())
}

// Hint tells how to get going again.
func (e *CorruptError) Hint() string {
	return "restore a backup, or have sqlite.Salvage copy the versions that are whole, or move the file and the one next to it that ends in -wal away to start with the entries from files only"
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// Kind returns "Internal".
func (e *CorruptError) Kind() string { return registry.KindInternal }

// Retryable returns false: the file stays as it is.
func (e *CorruptError) Retryable() (retryable, known bool) { return false, true }

// ConflictError reports that the version is stored already: another registry writes to
// the same database.
type ConflictError struct {
	Version registry.Version
	Err     error
}

// Error names the version.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("sqlite history: %v is stored already: another registry writes to this database", e.Version)
}

// Unwrap returns the cause.
func (e *ConflictError) Unwrap() error { return e.Err }

// Kind returns "Conflict".
func (e *ConflictError) Kind() string { return registry.KindConflict }

// damaged marks an error that is found in what a database holds; fault makes a
// CorruptError of it.
type damaged struct{ error }

func (d damaged) Unwrap() error { return d.error }

func damage(err error) error { return damaged{err} }

// fault names the operation and the file, and recognises damage.
func (h *History) fault(op string, err error) error {
	if err == nil {
		return nil
	}
	var d damaged
	if errors.As(err, &d) {
		return &CorruptError{Path: h.path, Err: d.error}
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return &CorruptError{Path: h.path, Err: err}
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return fmt.Errorf("%w: %s %s: %w", ErrInUse, op, h.path, err)
		}
	}
	return fmt.Errorf("sqlite history: %s %s: %w", op, h.path, err)
}
