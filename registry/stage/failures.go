// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"errors"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
)

// Failure is one thing that kept a pipeline from succeeding, taken apart for those who
// show it.
type Failure struct {
	// Stage is the name of the stage.
	Stage string
	// Position is "file:line:col", or "".
	Position string
	// Subject is the ID of an entry, the key of a configuration or the field of a file
	// that it is about, or "".
	Subject string
	Message string
	// Hint tells what could be done about it, or is "".
	Hint string
	// Kind is the kind of the error, such as "NotFound", or "".
	Kind string
}

// Failures lists what is wrong according to an error of a pipeline, in the order in which
// it was found.
func Failures(err error) []Failure {
	var out []Failure
	collect(err, "", &out)
	return out
}

func collect(err error, stage string, out *[]Failure) {
	switch e := err.(type) {
	case nil:
		return
	case *registry.EntryError:
		*out = append(*out, Failure{stage, e.Position, e.ID.String(), e.Err.Error(), e.Hint, ownKind(e.Err)})
		return
	case *KeyError:
		message := e.Err.Error()
		if e.invalid {
			message = "invalid key: " + message
		}
		*out = append(*out, Failure{stage, e.Position, e.Key, message, e.Hint, ownKind(e.Err)})
		return
	case *source.Problem:
		message := e.Message
		if e.Err != nil {
			message += ": " + e.Err.Error()
		}
		*out = append(*out, Failure{stage, e.Position(), e.Field, message, e.Hint, e.Kind()})
		return
	case *Error:
		if e.stage != "" {
			stage = e.stage
		}
		if e.cause != nil {
			collect(e.cause, stage, out)
			return
		}
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			collect(err, stage, out)
		}
		return
	}
	*out = append(*out, Failure{Stage: stage, Message: err.Error(), Kind: ownKind(err)})
}

// ownKind returns the kind of one error, or "".
func ownKind(err error) string {
	var k interface{ Kind() string }
	if errors.As(err, &k) {
		return k.Kind()
	}
	return ""
}
