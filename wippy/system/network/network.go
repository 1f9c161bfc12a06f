// SPDX-License-Identifier: Apache-2.0

// Package network knows the overlay networks that programs reach others through, and which one an execution uses.
//
// # Basics
//
// An overlay is whatever makes connections in place of the machine: a proxy, a virtual network. A program chooses
// one for a single request, for a call or for a process; the choice goes down to what it calls and starts. Without
// one, the default of the application counts, and without that connections are direct.
//
// # Guarantees
//
//   - A network that is replaced serves those who look it up afterwards; who holds the old one keeps it
//     (TestDirectory).
//   - All methods may be called concurrently.
package network

import (
	"context"
	"net"
	"sync"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/frames"
	"github.com/wippyrun/kit/wippy/system/functions"
)

// Selected is the id of the network that a frame has chosen.
var Selected = appctx.NewFrameKey[string]("network", appctx.Inherit())

// Dial makes a connection. The address may hold a name, which the overlay looks up.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Network is one overlay. Two are the same when their pointers are: one that was replaced is another.
type Network struct {
	// ID is the id of its entry.
	ID string
	// Dial makes its connections.
	Dial Dial
}

// Directory holds the networks. Make one with New.
type Directory struct {
	standard string // id of the default, "" for none

	mu       sync.RWMutex        // guards networks
	networks map[string]*Network // by id
}

// New returns a directory without networks. standard is the id of the application's default, "" for none.
func New(standard string) *Directory {
	return &Directory{standard: standard, networks: map[string]*Network{}}
}

// Put adds a network, in the place of one with this id.
func (d *Directory) Put(id string, dial Dial) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.networks[id] = &Network{ID: id, Dial: dial}
}

// Remove removes one.
func (d *Directory) Remove(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.networks, id)
}

// Get returns a network. The error is of kind NotFound.
func (d *Directory) Get(id string) (*Network, error) {
	if d != nil {
		d.mu.RLock()
		defer d.mu.RUnlock()
		if n := d.networks[id]; n != nil {
			return n, nil
		}
	}
	return nil, fault.New(fault.NotFound, "overlay network not found: "+id)
}

// For returns the network of an execution: the one it names, else the one its frame has chosen, else the default.
// It is nil for direct connections. The frame and the directory may be nil.
func (d *Directory) For(f *appctx.Frame, id string) (*Network, error) {
	if id == "" && f != nil {
		id, _ = Selected.Get(f)
	}
	if id == "" && d != nil {
		id = d.standard
	}
	if id == "" {
		return nil, nil
	}
	return d.Get(id)
}

// Option is the name of the option of calls and spawns that chooses a network.
const Option = "network"

// Select puts the choice that options make into an open frame.
func Select(f *appctx.Frame, options map[string]any) error {
	if id, _ := options[Option].(string); id != "" {
		return Selected.Set(f, id)
	}
	return nil
}

// Calls makes the option of a call count, and that of its function where the call has none.
func (d *Directory) Calls() functions.Interceptor {
	return functions.Interceptor{Name: "network", Order: 10, Wrap: func(next functions.CallFunc) functions.CallFunc {
		return func(ctx context.Context, task functions.Task, done functions.Done) (cancel func()) {
			id, _ := task.Options[Option].(string)
			if id == "" {
				return next(ctx, task, done)
			}
			f := frames.Fork(task.Frame)
			_, err := d.Get(id)
			if err == nil {
				err = Select(f, task.Options)
			}
			if err != nil {
				done(payload.Payload{}, err)
				return func() {}
			}
			task.Frame = f
			return next(ctx, task, done)
		}
	}}
}
