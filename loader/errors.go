// SPDX-License-Identifier: Apache-2.0

package loader

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Causes that a [ComponentError] may wrap.
var (
	// ErrTimeout says that a call was not done when the component's Timeout passed.
	ErrTimeout error = &causeError{text: "timed out", kind: "Timeout"}
	// ErrAbandoned says that a call went on after its context had ended, and was
	// left behind.
	ErrAbandoned error = &causeError{text: "did not return after its context ended", kind: "Timeout"}
	// ErrExited says that the function ended its goroutine with runtime.Goexit.
	ErrExited error = &causeError{text: "ended its goroutine instead of returning", kind: "Internal"}
)

type causeError struct{ text, kind string }

// Error returns the text.
func (e *causeError) Error() string { return e.text }

// Kind returns the kind of the error.
func (e *causeError) Kind() string { return e.kind }

// ProblemKind tells what is wrong with a component graph.
type ProblemKind uint8

// The problems that [New] finds.
const (
	// Unnamed is a component without a name.
	Unnamed ProblemKind = iota + 1
	// Duplicate is a name used more than once.
	Duplicate
	// Missing is a dependency on a name that no component has.
	Missing
	// Cycle is a set of components that depend on each other.
	Cycle
)

// Problem is one defect of a component graph.
type Problem struct {
	Kind       ProblemKind
	Component  string   // the component at fault; the first of Path for a Cycle
	Dependency string   // the name that is missing; set for Missing
	Path       []string // the whole cycle, first name repeated at the end; set for Cycle

	_ struct{}
}

// String returns the problem as one line.
func (p Problem) String() string {
	switch p.Kind {
	case Unnamed:
		return "component without a name"
	case Duplicate:
		return "component already registered: " + p.Component
	case Missing:
		return fmt.Sprintf("component %s depends on %s, which is not registered", p.Component, p.Dependency)
	default:
		return "dependency cycle: " + strings.Join(p.Path, " → ")
	}
}

// GraphError is the error of [New]: everything that is wrong with the graph.
type GraphError struct {
	Problems []Problem // never empty; duplicates, missing, cycles, each sorted by name

	_ struct{}
}

// Error returns one problem on one line, or several on a line each.
func (e *GraphError) Error() string {
	if len(e.Problems) == 1 {
		return "dependency resolution failed: " + e.Problems[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "dependency resolution failed: %d problems", len(e.Problems))
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// Kind returns "AlreadyExists" when every problem is a duplicate, else "Invalid".
func (e *GraphError) Kind() string {
	for _, p := range e.Problems {
		if p.Kind != Duplicate {
			return "Invalid"
		}
	}
	return "AlreadyExists"
}

// Phase names one of the three calls into a component.
type Phase string

// The phases of a component.
const (
	// PhaseLoad is the call of Component.Load.
	PhaseLoad Phase = "load"
	// PhaseStart is the call of Component.Start.
	PhaseStart Phase = "start"
	// PhaseStop is the call of Component.Stop.
	PhaseStop Phase = "stop"
)

// ComponentError is a failed call into a component.
type ComponentError struct {
	Phase     Phase
	Component string
	Elapsed   time.Duration // how long the call had run
	Err       error         // what the component returned, a *PanicError or one of the causes above

	_ struct{}
}

// Error returns the phase, the component and the cause.
func (e *ComponentError) Error() string {
	text := fmt.Sprintf("failed to %s component: %s: %v", e.Phase, e.Component, e.Err)
	if errors.Is(e.Err, ErrTimeout) || errors.Is(e.Err, ErrAbandoned) {
		text += fmt.Sprintf(" (after %v)", e.Elapsed.Round(time.Millisecond))
	}
	return text
}

// Unwrap returns the cause.
func (e *ComponentError) Unwrap() error { return e.Err }

// PanicError is a panic of a component, contained.
type PanicError struct {
	Value any    // the argument of panic
	Stack []byte // the stack of the goroutine that panicked

	_ struct{}
}

// Error returns the panic value; the stack is in the Stack field.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the panic value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Kind returns "Internal".
func (e *PanicError) Kind() string { return "Internal" }

// StateError is a call in the wrong order, such as Start before Load.
type StateError struct {
	Phase Phase  // the call that was refused
	State string // the state it was refused in: new, loaded, started, stopped or failed

	_ struct{}
}

// Error names the call and the state.
func (e *StateError) Error() string {
	return fmt.Sprintf("loader: cannot %s when %s", e.Phase, e.State)
}

// Kind returns "InvalidState".
func (e *StateError) Kind() string { return "InvalidState" }
