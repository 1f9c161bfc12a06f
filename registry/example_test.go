// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"fmt"
	"time"

	"github.com/wippyrun/kit/registry"
)

// greeter handles entries of kind "greeting".
type greeter struct{}

func (greeter) Create(_ context.Context, e registry.Entry) error {
	text, _ := e.Field("data.text")
	if text == nil {
		return fmt.Errorf("data.text is missing")
	}
	fmt.Println("serving", e.ID, "with", text)
	return nil
}

func (greeter) Update(_ context.Context, old, next registry.Entry) error {
	text, _ := next.Field("data.text")
	fmt.Println("now serving", next.ID, "with", text)
	return nil
}

func (greeter) Delete(_ context.Context, e registry.Entry) error {
	fmt.Println("stopped serving", e.ID)
	return nil
}

func greeting(name, text string) registry.Entry {
	return registry.Entry{ID: registry.NewID("app", name), Kind: "greeting", Data: map[string]any{"text": text}}
}

func Example() {
	ctx := context.Background()
	r, err := registry.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	_ = r.Listen("greeting", greeter{})

	var c registry.Changeset
	c.CreateEntry(greeting("hello", "Hello!"))
	v1, err := r.Apply(ctx, c)
	fmt.Println(v1, err)

	c = nil
	c.UpdateEntry(greeting("hello", "Good evening!"))
	c.CreateEntry(registry.Entry{ID: registry.NewID("app", "broken"), Kind: "greeting"})
	_, err = r.Apply(ctx, c)
	fmt.Println(r.Current(), err)

	err = r.ApplyVersion(ctx, registry.Version{})
	fmt.Println(r.Current(), err)
	// Output:
	// serving app:hello with Hello!
	// v1 <nil>
	// v1 failed to apply changes: operation failed for entry app:broken: data.text is missing
	// stopped serving app:hello
	// v0 <nil>
}

func ExampleRegistry_Find() {
	r, err := registry.New(registry.WithInternalKinds("**"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	_ = r.LoadState(context.Background(), []registry.Entry{
		{ID: registry.NewID("app", "login"), Kind: "function.lua", Meta: map[string]any{"tags": []any{"api", "public"}}},
		{ID: registry.NewID("app", "audit"), Kind: "function.lua", Meta: map[string]any{"tags": []any{"api"}}},
		{ID: registry.NewID("app", "main"), Kind: "process.lua"},
	})
	for _, e := range r.Find(map[string]any{".kind": "function.*", "meta.tags": "public"}) {
		fmt.Println(e.ID)
	}
	// Output: app:login
}

func ExampleWithExtractor() {
	// Entries of this application name what they need in data.uses.
	x, err := registry.NewExtractor("data.uses")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := registry.New(registry.WithInternalKinds("**"), registry.WithExtractor(x))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	entries := []registry.Entry{
		{ID: registry.NewID("app", "api"), Kind: "service", Data: map[string]any{"uses": "store"}},
		{ID: registry.NewID("app", "store"), Kind: "service"},
	}
	fmt.Println(r.BuildDelta(nil, entries)) // what is needed comes first
	fmt.Println(r.Extractor().References(entries[0]))
	// Output:
	// [entry.create app:store entry.create app:api]
	// [store]
}

func ExampleWithClock() {
	ctx := context.Background()
	tick := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	r, err := registry.New(registry.WithInternalKinds("**"), registry.WithClock(func() time.Time { return tick }))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	var c registry.Changeset
	c.CreateEntry(greeting("hello", "Hello!"))
	if _, err := r.Apply(ctx, c, registry.Author("ann")); err != nil {
		fmt.Println(err)
	}
	log, err := r.Log(ctx)
	for _, rec := range log[1:] { // the first is v0, the empty registry
		fmt.Println(rec.Version, rec.Time.Format(time.DateTime), rec.Author)
	}
	fmt.Println(err)
	// Output:
	// v1 2026-01-01 12:00:00 ann
	// <nil>
}

func ExampleQuery_Warnings() {
	q := registry.CompileQuery(map[string]any{".kind": "function.*", "~meta.path": "["})
	for _, w := range q.Warnings() {
		fmt.Println(w)
	}
	// Output: "~meta.path": error parsing regexp: missing closing ]: `[`
}

func ExampleRegistry_Watch() {
	ctx := context.Background()
	r, err := registry.New(registry.WithInternalKinds("**"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	w, err := r.Watch("app.**:*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Close()
	_, _ = r.Apply(ctx, registry.Changeset{{Kind: registry.Create, Entry: registry.Entry{ID: registry.NewID("app.web", "x"), Kind: "k"}}})
	change, err := w.Next(ctx)
	fmt.Println(change.Version, change.Ops, err)
	// Output: v1 [entry.create app.web:x] <nil>
}

func ExampleSnapshot() {
	r, err := registry.New(registry.WithInternalKinds("**"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	before := r.Snapshot()
	_, _ = r.Apply(context.Background(), registry.Changeset{{Kind: registry.Create, Entry: registry.Entry{ID: registry.NewID("app", "x"), Kind: "k"}}})
	fmt.Println(before.Len(), r.Snapshot().Len())
	// Output: 0 1
}
