// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/wippyrun/kit/luart/engine"
)

// deviceError is what a source or a destination reports. Every other error comes from what an archive contains.
type deviceError struct{ err error }

// Error returns the text of the device's error.
func (e *deviceError) Error() string { return e.err.Error() }

// Unwrap returns the device's error.
func (e *deviceError) Unwrap() error { return e.err }

// fault makes the error object of an error.
func fault(err error) *engine.Error {
	if e, ok := errors.AsType[*engine.Error](err); ok {
		return e
	}
	kind := engine.KindInvalid
	if _, ok := errors.AsType[*deviceError](err); ok {
		switch {
		case errors.Is(err, fs.ErrPermission):
			kind = engine.KindPermissionDenied
		case errors.Is(err, fs.ErrNotExist):
			kind = engine.KindNotFound
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			kind = engine.KindCanceled
		default:
			kind = engine.KindInternal
		}
	}
	return engine.NewError(kind, err.Error()).WithCause(err)
}

// device marks err as one of a source or a destination.
func device(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*deviceError](err); ok {
		return err
	}
	return &deviceError{err}
}

func invalid(format string, args ...any) error {
	return engine.NewError(engine.KindInvalid, fmt.Sprintf(format, args...))
}

func unavailable(message string) error { return engine.NewError(engine.KindUnavailable, message) }

func notFound(name string) error {
	return engine.NewError(engine.KindNotFound, "entry not found: "+name)
}

var errClosed = engine.NewError(engine.KindInternal, "archive is closed")
