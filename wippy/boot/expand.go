// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/stage"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// expanding gives a listener its entries the way they are meant, with placeholders of
// environment variables replaced. The registry keeps the placeholders.
type expanding struct {
	registry.Listener
	vars stage.Variables
}

// expandingPart is expanding for a listener that takes part in transactions.
type expandingPart struct {
	*expanding
	registry.Transactor
}

// expandingFinisher is expandingPart for one that hears of their outcome.
type expandingFinisher struct {
	*expandingPart
	registry.Finisher
}

// expand wraps a listener and keeps what it is beside.
func (r *Runtime) expand(l registry.Listener) registry.Listener {
	e := &expanding{Listener: l, vars: r.variable}
	t, ok := l.(registry.Transactor)
	if !ok {
		return e
	}
	part := &expandingPart{e, t}
	if f, ok := l.(registry.Finisher); ok {
		return &expandingFinisher{part, f}
	}
	return part
}

// variable looks an environment variable up.
func (r *Runtime) variable(name string) (value string, set, known bool) {
	service, ok := KeyEnv.Get(r.dict)
	if !ok {
		return "", false, false
	}
	value, err := service.Get(name, "")
	switch {
	case err == nil:
		return value, true, true
	case fault.KindOf(err) == fault.NotFound:
		return "", false, service.Has(name)
	}
	return "", false, true // the storage failed
}

// sourceField holds code, in which ${…} is the author's own business.
const sourceField = "source"

func (x *expanding) meant(e registry.Entry) (registry.Entry, error) {
	data, ok := e.Data.(map[string]any)
	if !ok || !expandable(data, sourceField) {
		return e, nil
	}
	source, has := data[sourceField]
	if has {
		data = maps.Clone(data)
		delete(data, sourceField)
		e.Data = data
	}
	e, err := stage.Expand(e, x.vars)
	if has {
		data = maps.Clone(e.Data.(map[string]any))
		data[sourceField] = source
		e.Data = data
	}
	return e, fieldErrors(err)
}

// fieldErrors turns what is wrong with placeholders into errors of their fields, of which
// the registry knows the places.
func fieldErrors(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var out []error
	for _, err := range joined.Unwrap() {
		if e, ok := errors.AsType[*registry.EntryError](err); ok {
			path, message, _ := strings.Cut(e.Err.Error(), ": ")
			err = &fields.Error{Path: path, Message: message, Hint: e.Hint}
		}
		out = append(out, err)
	}
	return errors.Join(out...)
}

// expandable reports whether there is anything to replace, in fields other than the one
// named. Most entries have nothing and need not be copied.
func expandable(v any, except string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, "${")
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return expandable(item, "") })
	case map[string]any:
		for k, item := range v {
			if k != except && (strings.HasSuffix(k, "_env") || expandable(item, "")) {
				return true
			}
		}
	}
	return false
}

// before is meant for an entry that was accepted already: a variable that is gone by now
// does not keep it from being deleted.
func (x *expanding) before(e registry.Entry) registry.Entry {
	e, _ = x.meant(e)
	return e
}

// Create implements registry.Listener.
func (x *expanding) Create(ctx context.Context, e registry.Entry) error {
	e, err := x.meant(e)
	if err != nil {
		return err
	}
	return x.Listener.Create(ctx, e)
}

// Update implements registry.Listener.
func (x *expanding) Update(ctx context.Context, old, next registry.Entry) error {
	next, err := x.meant(next)
	if err != nil {
		return err
	}
	return x.Listener.Update(ctx, x.before(old), next)
}

// Delete implements registry.Listener.
func (x *expanding) Delete(ctx context.Context, e registry.Entry) error {
	return x.Listener.Delete(ctx, x.before(e))
}
