// SPDX-License-Identifier: Apache-2.0

// Package template makes entries of the kinds template.set and template.jet the sets
// and templates that programs render.
package template

import (
	"cmp"
	"context"
	"sync"

	"github.com/wippyrun/kit/luart/modules/templates"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// The kinds of this package.
const (
	KindSet = "template.set"
	KindJet = "template.jet"
)

// Kinds lists them.
func Kinds() []string { return []string{KindSet, KindJet} }

// Listener keeps a library of templates as the entries say. Programs render from it at
// any time.
type Listener struct {
	library *templates.Library
	warn    func(registry.Entry, []fields.Warning)
	broken  func(e registry.Entry, line int, err error) // nil: nobody asks

	mu      sync.Mutex                // guards changed
	changed map[registry.ID]candidate // templates of the transaction
}

// NewListener fills the library. warn is told of fields that nobody knows.
func NewListener(library *templates.Library, warn func(registry.Entry, []fields.Warning)) *Listener {
	return &Listener{library: library, warn: warn}
}

// OnBroken sets who hears of templates that do not parse, once the transaction that brought them is done: they may
// need others of the same transaction. line is a line of the source, 0 when it is not known.
func (l *Listener) OnBroken(f func(e registry.Entry, line int, err error)) { l.broken = f }

// Create adds a set or a template.
func (l *Listener) Create(_ context.Context, e registry.Entry) error {
	if e.Kind == KindSet {
		options, err := l.options(e)
		if err != nil {
			return err
		}
		return fields.At("engine", l.library.Add(e.ID.String(), options))
	}
	t, err := l.template(e)
	if err != nil {
		return err
	}
	set, err := l.library.Set(t.set)
	if err != nil {
		return fields.At("set", err)
	}
	if err := set.Add(t.name, t.source); err != nil {
		return fields.At("source", err)
	}
	l.note(e, t)
	return nil
}

// Update gives a set other options, a template another source, name or set.
func (l *Listener) Update(ctx context.Context, old, next registry.Entry) error {
	if next.Kind == KindSet {
		options, err := l.options(next)
		if err != nil {
			return err
		}
		return fields.At("engine", l.library.Update(next.ID.String(), options))
	}
	before, err := l.template(old)
	if err != nil {
		return err
	}
	after, err := l.template(next)
	if err != nil {
		return err
	}
	if before.set != after.set {
		if err := l.Create(ctx, next); err != nil {
			return err
		}
		return l.Delete(ctx, old)
	}
	set, err := l.library.Set(after.set)
	if err != nil {
		return fields.At("set", err)
	}
	if err := set.Update(before.name, after.name, after.source); err != nil {
		return fields.At("source", err)
	}
	l.note(next, after)
	return nil
}

// Delete removes a template, or a set that is empty.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	if e.Kind == KindSet {
		return l.library.Remove(e.ID.String())
	}
	t, err := l.template(e)
	if err != nil {
		return err
	}
	set, err := l.library.Set(t.set)
	if err != nil {
		return err
	}
	return set.Remove(t.name)
}

// options reads a template.set.
func (l *Listener) options(e registry.Entry) (templates.Options, error) {
	r := fields.New(e.Data)
	o := templates.Defaults()
	engine := r.Sub("engine")
	engine.Bool("development_mode", false) // nothing is stale: a changed template is compiled anew
	d := engine.Sub("delimiters")
	o.Left, o.Right = d.String("left", o.Left), d.String("right", o.Right)
	o.CommentLeft, o.CommentRight = d.String("comment_left", o.CommentLeft), d.String("comment_right", o.CommentRight)
	if list := engine.Strings("extensions"); len(list) > 0 {
		o.Extensions = list
	}
	switch globals := engine.Any("globals").(type) {
	case nil:
	case map[string]any:
		o.Globals = globals
	default:
		engine.Reject("globals", "globals must be a map of names and values")
	}
	l.warn(e, r.Unknown())
	return o, r.Err()
}

// jet is the decoded form of a template.jet.
type jet struct{ set, name, source string }

func (l *Listener) template(e registry.Entry) (jet, error) {
	r := fields.New(e.Data)
	t := jet{set: r.String("set", ""), source: r.String("source", "")}
	if t.set == "" {
		r.Reject("set", "set name is required")
	}
	if t.source == "" {
		r.Reject("source", "source is required")
	}
	if id := registry.ParseID(t.set); id.Namespace == "" { // one of the same namespace
		t.set = registry.ID{Namespace: e.ID.Namespace, Name: id.Name}.String()
	}
	name, _ := e.Meta["name"].(string)
	t.name = cmp.Or(name, e.ID.Name)
	l.warn(e, r.Unknown())
	if err := r.Err(); err != nil {
		return t, err
	}
	if t.name == "" {
		return t, fault.New(fault.Invalid, "a template needs a name")
	}
	return t, nil
}
