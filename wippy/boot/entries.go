// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
	"github.com/wippyrun/kit/registry/stage"
	"github.com/wippyrun/kit/wippy/boot/config"
	"github.com/wippyrun/kit/wippy/boot/project"
)

// loadEntries reads the project's files and runs the boot pipeline over them.
// What does not keep the application from starting is logged. The error is
// Problems when files or configuration are at fault, and then names what is wrong
// in both: the pipeline also runs over what the files without a problem say.
func loadEntries(ctx context.Context, o Options, c *config.Config, log *slog.Logger) ([]registry.Entry, error) {
	trees, err := locateTrees(o, c, log)
	if err != nil {
		return nil, err
	}
	entries, err := source.LoadTrees(ctx, trees, source.Options{
		Lenient: o.Lenient,
		Warn: func(p *source.Problem) {
			log.Warn(p.Message, told("at", p.Position(), "field", p.Field, "hint", p.Hint)...)
		},
	})
	var broken source.Problems
	if errors.As(err, &broken) {
		entries, err = source.LoadTrees(ctx, trees, source.Options{Lenient: true})
	}
	if err != nil {
		return nil, err
	}
	entries, err = runPipeline(ctx, entries, o, c, log)
	if len(broken) == 0 {
		if err != nil {
			return nil, pipelineProblems(err, false)
		}
		return entries, nil
	}
	return nil, append(sourceProblems(broken), pipelineProblems(err, true)...)
}

// locate finds the directories of a project.
func locate(o Options, c *config.Config) (project.Layout, error) {
	workspace, err := project.NewWorkspace(c.Sub("workspace", "replacements"), c.String("boot", "config_dir", o.Dir))
	if err != nil {
		return project.Layout{}, err
	}
	return project.Locate(o.Dir, o.LockFile, workspace)
}

// locateTrees finds where entries are read from.
func locateTrees(o Options, c *config.Config, log *slog.Logger) ([]source.Tree, error) {
	layout, err := locate(o, c)
	if err != nil {
		return nil, err
	}
	if layout.Deprecated != "" {
		log.Warn(layout.Deprecated)
	}
	if layout.Note != "" {
		log.Info(layout.Note)
	}
	trees := make([]source.Tree, len(layout.Sources))
	var errs []error
	for i, s := range layout.Sources {
		trees[i] = source.Tree{Dir: s.Dir}
		if s.Module == "" {
			continue
		}
		trees[i].Meta = map[string]any{"module": s.Module, "module_version": s.Version}
		trees[i].Omit, err = s.Omit()
		errs = append(errs, err)
	}
	return trees, errors.Join(errs...)
}

func runPipeline(ctx context.Context, entries []registry.Entry, o Options, c *config.Config, log *slog.Logger) ([]registry.Entry, error) {
	disable, err := stage.ParseDisable(c.Section("disable"))
	if err != nil {
		return nil, placeKeys(err, c)
	}
	disable.Lenient = o.Lenient
	disable.Position = func(key string) string { return c.Position("disable", key) }
	override := stage.Override(c.Section("override"), stage.OverrideOptions{
		Lenient:  o.Lenient,
		Position: func(key string) string { return c.Position("override", key) },
	})
	var report stage.Report
	entries, err = stage.NewPipeline(
		override,
		stage.Disable(disable),
		stage.Link(stage.LinkOptions{Lenient: o.Lenient}),
		override,
	).Run(stage.WithReport(ctx, &report), entries)
	if err != nil {
		return nil, err
	}
	for _, w := range report.Warnings() {
		id := ""
		if !w.ID.IsZero() {
			id = w.ID.String()
		}
		log.Warn(w.Message, told("stage", w.Stage, "entry", id, "at", w.Position, "hint", w.Hint)...)
	}
	if n := report.Removed(); n > 0 {
		log.Info("entries disabled", "count", n)
	}
	return entries, nil
}

// told makes arguments for a logger of pairs, without those that are empty.
func told(pairs ...string) []any {
	var out []any
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, pairs[i], pairs[i+1])
		}
	}
	return out
}

// placeKeys gives the errors of a section that was read before any stage their places.
func placeKeys(err error, c *config.Config) error {
	var out []error
	for _, leaf := range leaves(err) {
		if e, ok := errors.AsType[*stage.KeyError](leaf); ok && e.Position == "" {
			section, key, _ := strings.Cut(e.Key, ".")
			e.Position = c.Position(section, key)
		}
		out = append(out, leaf)
	}
	return errors.Join(out...)
}

// pipelineProblems turns what stages found into problems. With partial entries what
// could not be found says nothing: it may be in a file that could not be read.
func pipelineProblems(err error, partial bool) Problems {
	var out Problems
	for _, f := range stage.Failures(err) {
		if partial && f.Kind == "NotFound" {
			continue
		}
		p := Problem{Place: f.Position, Message: f.Message, Hint: f.Hint}
		switch text, invalid := strings.CutPrefix(f.Message, "invalid key: "); {
		case invalid:
			p.Message = f.Stage + ": invalid key " + f.Subject + ": " + text
		case f.Stage == "override":
			p.Message = f.Stage + ": " + f.Subject + ": " + f.Message
		case f.Stage == "link":
			p.Entry = f.Subject
		case f.Subject != "":
			p.Message = f.Subject + ": " + f.Message
		}
		out = append(out, p)
	}
	return out
}

// sourceProblems turns the problems of files into the form all problems of a
// start have.
func sourceProblems(problems source.Problems) Problems {
	out := make(Problems, 0, len(problems))
	for _, p := range problems {
		message := p.Message
		if p.Err != nil {
			message += ": " + p.Err.Error()
		}
		out = append(out, Problem{Place: p.Position(), Field: p.Field, Message: message, Hint: p.Hint})
	}
	return out
}
