// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fmt"

	"github.com/wippyrun/kit/registry"
)

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
	return fmt.Sprintf("restore a backup, or salvage it with `sqlite3 %s .recover`, or move the file away to start with the entries from files only", e.Path)
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
