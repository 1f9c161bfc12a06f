// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/suggest"
)

// needed are the fields of entries that name what these work with: without it they can do nothing
// but fail, at the first request or message. Kinds whose listeners look by themselves, as that of
// http.router does for its server, are not here.
var needed = map[string][]string{
	"http.endpoint":        {"func"},
	"process.service":      {"process", "host"},
	"queue.consumer":       {"func"},
	"security.token_store": {"store"},
	"store.sql":            {"database"},
}

// dangling takes part in the transaction that loads the entries of the project and rejects
// references to what is not there. Later transactions are none of its business: a program may
// well make the endpoint before the function.
type dangling struct {
	runtime *Runtime
	entries []registry.Entry // those of the project while they are loaded, nil before and after
	lenient bool
	log     *slog.Logger
}

// loadDangling makes the check take part.
func (r *Runtime) loadDangling(reg *registry.Registry) error {
	r.dangling = &dangling{runtime: r, lenient: r.options.Lenient, log: r.mistakes}
	return reg.Listen("boot.references", r.dangling)
}

// Begin has nothing to do.
func (d *dangling) Begin(context.Context) error { return nil }

// Commit checks, now that all kinds have taken in their entries.
func (d *dangling) Commit(ctx context.Context) error {
	if d.entries == nil {
		return nil
	}
	state, _ := registry.Pending(ctx)
	var errs []error
	d.runtime.lacking(d.entries, func(id registry.ID) bool { _, there := state.Get(id); return there }, func(e registry.Entry, err *fields.Error) {
		if d.lenient {
			d.log.Warn(err.Message, told("entry", e.ID.String(), "at", e.Position(err.Path), "hint", err.Hint)...)
			return
		}
		errs = append(errs, &registry.EntryError{ID: e.ID, Position: e.Position(""), Err: err})
	})
	return errors.Join(errs...)
}

// lacking reports every field of the entries that names something they need and that is not there.
func (r *Runtime) lacking(entries []registry.Entry, there func(registry.ID) bool, report func(registry.Entry, *fields.Error)) {
	var known map[string][]string // ids by kind, made when it is needed
	for _, e := range entries {
		data, _ := e.Data.(map[string]any)
		for _, field := range needed[e.Kind] {
			text, _ := registry.IDText(data[field])
			if text == "" || strings.Contains(text, "${") {
				continue
			}
			id := e.ID.Resolve(text)
			if there(id) || r.runs(id.String()) {
				continue
			}
			if known == nil {
				known = idsByKind(entries)
			}
			hint := suggest.Hint(id.String(), known[field])
			if n := len(known[field]); hint == "" && 0 < n && n <= 5 {
				hint = "what it may be: " + strings.Join(known[field], ", ")
			}
			report(e, &fields.Error{Path: "data." + field, Message: field + ": there is no entry " + id.String(), Hint: hint})
		}
	}
}

// idsByKind lists what a field may name.
func idsByKind(entries []registry.Entry) map[string][]string {
	out := map[string][]string{}
	for _, e := range entries {
		id := e.ID.String()
		switch {
		case strings.HasPrefix(e.Kind, "function."):
			out["func"] = append(out["func"], id)
		case strings.HasPrefix(e.Kind, "process.lua"):
			out["process"] = append(out["process"], id)
			out["func"] = append(out["func"], id)
		case slices.Contains([]string{"process.host", "terminal.host", "temporal.worker"}, e.Kind):
			out["host"] = append(out["host"], id)
		case strings.HasPrefix(e.Kind, "store."):
			out["store"] = append(out["store"], id)
		case strings.HasPrefix(e.Kind, "db.sql."):
			out["database"] = append(out["database"], id)
		}
	}
	return out
}

// runs tells whether something without an entry is known under an id: what an embedding program
// has made in Go.
func (r *Runtime) runs(id string) bool {
	if _, host := KeyNode.MustGet(r.dict).Host(id); host {
		return true
	}
	return KeyFunctions.MustGet(r.dict).Has(id) || KeyFactories.MustGet(r.dict).Has(id)
}

// Discard has nothing to undo.
func (d *dangling) Discard(context.Context) error { return nil }

// Create is never called: there are no entries of that kind.
func (d *dangling) Create(context.Context, registry.Entry) error { return nil }

// Update is never called.
func (d *dangling) Update(context.Context, registry.Entry, registry.Entry) error { return nil }

// Delete is never called.
func (d *dangling) Delete(context.Context, registry.Entry) error { return nil }
