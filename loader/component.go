// SPDX-License-Identifier: Apache-2.0

package loader

import (
	"context"
	"time"
)

// Component is one part of an application. Only Name is required: a component
// without functions is a name to depend on.
//
// The functions are called at most once each, Load before Start before Stop. Load
// may run at the same time as the Load of components it does not depend on; Start
// and Stop run alone.
type Component struct {
	// Name identifies the component. It must be unique and not empty.
	Name string

	// DependsOn names the components that must be loaded before this one. Naming
	// one twice is allowed.
	DependsOn []string

	// Load makes the component and returns a context that carries it, or the
	// context it was given when it has nothing to add (nil means the same). The
	// given context carries the values of all levels below. It ends when a Load
	// fails, else when the component has been stopped: it may be kept for work that
	// lasts as long as the component. The cancellation and the deadline of the
	// returned context are ignored; its values count.
	Load func(ctx context.Context) (context.Context, error)

	// Start begins the visible work of the component. Its context, too, ends when
	// the component has been stopped, or earlier with the context of [Loader.Start].
	Start func(ctx context.Context) error

	// Stop ends that work. It is called once the component is up: when Start
	// succeeded or, for a component without Start, when Load did. So what a component
	// with a Start takes in Load it must not leave to Stop to give back, for if Start
	// is never reached, neither is Stop; one without a Start may.
	Stop func(ctx context.Context) error

	// Timeout bounds each of the three functions, not their sum. 0 means no bound
	// besides the caller's context. When it passes, the context of the call is
	// cancelled and the call counts as failed at once, whether it returns or not.
	Timeout time.Duration

	_ struct{}
}
