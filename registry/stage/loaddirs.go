// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"context"
	"slices"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
)

// LoadDirs returns the stage loaddirs: it adds the entries of directories, read by the
// rules of package source. An entry that is there already is replaced, with a warning.
// What the reader warns of goes to the report, unless the options name another place. The
// error is a source.Problems when files are at fault.
func LoadDirs(dirs []string, opts source.Options) Stage { return &loadDirs{dirs, opts} }

type loadDirs struct {
	dirs []string
	opts source.Options
}

func (s *loadDirs) Name() string { return "loaddirs" }

func (s *loadDirs) Apply(ctx context.Context, entries []registry.Entry) ([]registry.Entry, error) {
	report := reportOf(ctx)
	opts := s.opts
	if opts.Warn == nil {
		opts.Warn = func(p *source.Problem) {
			message := p.Message
			if p.Field != "" {
				message = p.Field + ": " + message
			}
			report.warn(Warning{Stage: s.Name(), Position: p.Position(), Message: message, Hint: p.Hint})
		}
	}
	loaded, err := source.Load(ctx, s.dirs, opts)
	if err != nil {
		return nil, err
	}
	if len(loaded) == 0 {
		return entries, nil
	}
	at := make(map[registry.ID]int, len(entries))
	for i, e := range entries {
		at[e.ID] = i
	}
	out := slices.Grow(slices.Clone(entries), len(loaded))
	for _, e := range loaded {
		i, ok := at[e.ID]
		if !ok {
			out = append(out, e)
			continue
		}
		message := "duplicate entries detected (will use last definition)"
		if first := out[i].Position(""); first != "" {
			message += ": first defined at " + first
		}
		report.warn(Warning{Stage: s.Name(), ID: e.ID, Position: e.Position(""), Message: message})
		out[i] = e
	}
	return out, nil
}
