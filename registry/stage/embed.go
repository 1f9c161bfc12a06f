// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/internal/wildcard"
)

// Kinds of entries Embed deals with.
const (
	KindDirectory = "fs.directory"
	KindEmbed     = "fs.embed"
)

// EmbedOptions configures Embed.
type EmbedOptions struct {
	// Patterns select entries by ID or name: a name, "namespace:name", or either with
	// wildcards as in DisableConfig, such as "app.**:*"; "ns:**" is everything in a
	// namespace. Default: all.
	Patterns []string

	_ struct{}
}

// Embed returns the stage embed_fs: it turns entries of kind fs.directory into fs.embed,
// whose data is empty, and gives the content of their directories away under their IDs.
//
// open opens the directory of an entry, attach takes it over; both are called from Apply,
// one after the other, in the order of the entries. A directory that does not exist, which
// open tells with an error that is fs.ErrNotExist, leaves its entry as it is, with a
// warning; so does a pattern that selects nothing. Any other error fails the stage, which
// tries all entries first.
func Embed(open func(e registry.Entry, directory string) (fs.FS, error), attach func(id registry.ID, content fs.FS) error, opts EmbedOptions) Stage {
	return &embed{open, attach, opts}
}

type embed struct {
	open   func(registry.Entry, string) (fs.FS, error)
	attach func(registry.ID, fs.FS) error
	opts   EmbedOptions
}

func (s *embed) Name() string { return "embed_fs" }

func (s *embed) Apply(ctx context.Context, entries []registry.Entry) ([]registry.Entry, error) {
	report := reportOf(ctx)
	selected, unused := s.selection()
	out := entries
	var errs []error
	for i, e := range entries {
		if e.Kind != KindDirectory || !selected(e.ID) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		missing, err := s.one(e)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if missing != "" {
			report.warn(Warning{Stage: s.Name(), ID: e.ID, Position: e.Position("data.directory"),
				Message: "directory " + missing + " does not exist; not embedded"})
			continue
		}
		if &out[0] == &entries[0] {
			out = slices.Clone(entries)
		}
		out[i].Kind, out[i].Data = KindEmbed, map[string]any{}
	}
	for _, p := range unused() {
		report.warn(Warning{Stage: s.Name(), Message: fmt.Sprintf("%q selects no entry of kind %s", p, KindDirectory)})
	}
	return out, errors.Join(errs...)
}

// one embeds one entry; missing is its directory when there is none.
func (s *embed) one(e registry.Entry) (missing string, err error) {
	fail := func(err error) (string, error) {
		return "", &registry.EntryError{ID: e.ID, Position: e.Position("data.directory"), Err: err}
	}
	v, _ := e.Field("data.directory")
	directory, _ := v.(string)
	if directory == "" {
		return fail(invalidf("directory path is required"))
	}
	content, err := s.open(e, directory)
	if errors.Is(err, fs.ErrNotExist) {
		return directory, nil
	}
	if err == nil {
		err = s.attach(e.ID, content)
	}
	if err != nil {
		return fail(&Error{kind: "Internal", msg: "failed to embed " + directory, cause: err})
	}
	return "", nil
}

// selection returns what tells whether an entry is selected, and what then tells which
// patterns selected none.
func (s *embed) selection() (selected func(registry.ID) bool, unused func() []string) {
	type pattern struct {
		text     string
		ns, name wildcard.Pattern
		anyNS    bool
		used     bool
	}
	var ps []*pattern
	for _, text := range s.opts.Patterns {
		p := &pattern{text: text}
		ns, name, ok := strings.Cut(text, ":")
		if !ok {
			ns, name, p.anyNS = "", text, true
		}
		p.ns, p.name = wildcard.Compile(ns), wildcard.Compile(name)
		ps = append(ps, p)
	}
	selected = func(id registry.ID) bool {
		hit := len(ps) == 0
		for _, p := range ps {
			if (p.anyNS || p.ns.Match(id.Namespace)) && p.name.Match(id.Name) {
				p.used, hit = true, true
			}
		}
		return hit
	}
	unused = func() (out []string) {
		for _, p := range ps {
			if !p.used {
				out = append(out, p.text)
			}
		}
		return out
	}
	return selected, unused
}
