// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"errors"
	"fmt"
)

// ErrNoPath says that no chain of conversions leads from one format to the other.
var ErrNoPath = errors.New("no transcoding path found")

// TranscodeError is the error of Transcoder.Transcode.
type TranscodeError struct {
	// From and To are the formats asked for.
	From, To Format
	// Cause is ErrNoPath or the error of the conversion that failed.
	Cause error
}

// Error returns "no transcoding path found", or "error transcoding payload" and
// the cause.
func (e *TranscodeError) Error() string {
	if errors.Is(e.Cause, ErrNoPath) {
		return ErrNoPath.Error()
	}
	return "error transcoding payload: " + e.Cause.Error()
}

// Kind returns "Internal".
func (e *TranscodeError) Kind() string { return "Internal" }

// Retryable returns false, known: the same data converts the same way again.
func (e *TranscodeError) Retryable() (retryable, known bool) { return false, true }

// Details returns the formats and, when a conversion failed, its cause as text.
func (e *TranscodeError) Details() map[string]any {
	d := map[string]any{"from": string(e.From), "to": string(e.To)}
	if !errors.Is(e.Cause, ErrNoPath) {
		d["cause"] = e.Cause.Error()
	}
	return d
}

// Unwrap returns the cause.
func (e *TranscodeError) Unwrap() error { return e.Cause }

// typeError says that a payload's data does not have a Go type of its format.
func typeError(f Format, v any) error {
	return fmt.Errorf("payload: %s data of Go type %T", f, v)
}
