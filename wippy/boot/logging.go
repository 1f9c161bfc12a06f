// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"log/slog"
	"os"

	"golang.org/x/term"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/wippy/boot/config"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/logs"
)

// Identical messages of one second are thinned out after this many, unless
// somebody asked for everything.
const (
	sampleFirst      = 100
	sampleThereafter = 100
)

// logFormat is for people when stderr is a terminal and JSON when it is not,
// unless the configuration or a flag asks for one of them.
func logFormat(o Options, c *config.Config) (logs.Format, error) {
	if o.Console {
		return logs.Color, nil
	}
	if name := c.String("logger", "encoding", ""); name != "" {
		format, ok := logs.ParseFormat(name)
		if !ok {
			return format, fault.New(fault.Invalid, "logger.encoding: unknown encoding "+name+" (console or json)")
		}
		return format, nil
	}
	if f, ok := o.Stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return logs.Console, nil
	}
	return logs.JSON, nil
}

// newLogs sets logging up, on stderr. mistakes is where doubtful entries and
// configuration are reported: the log, or, for a program that owns the terminal
// and whose log is quiet, stderr itself, because nobody else would tell.
func newLogs(o Options, c *config.Config, bus *eventbus.Bus) (manager *logs.Manager, mistakes *slog.Logger, err error) {
	format, err := logFormat(o, c)
	if err != nil {
		return nil, nil, err
	}
	options := logs.Options{
		Format:    format,
		Silent:    o.Silent,
		Stacks:    o.VeryVerbose,
		Publisher: busPublisher{bus},
		Config: &logs.Config{
			PropagateDownstream: c.Bool("logmanager", "propagate_downstream", true),
			StreamToEvents:      c.Bool("logmanager", "stream_to_events", false),
			MinLevel:            c.Int("logmanager", "min_level", 0),
		},
	}
	switch {
	case o.Verbose || o.VeryVerbose:
		options.Level = slog.LevelDebug
	case o.Quiet:
		options.Level = slog.LevelError
	}
	if !o.Verbose && !o.VeryVerbose && !o.Console {
		options.SampleFirst, options.SampleThereafter = sampleFirst, sampleThereafter
	}
	manager = logs.New(o.Stderr, options)
	mistakes = manager.Logger()
	if o.Quiet && !o.Silent {
		mistakes = slog.New(logs.NewHandler(o.Stderr, format, logs.HandlerOptions{Level: slog.LevelWarn}))
	}
	return manager, mistakes, nil
}

// serveLogConfig lets the event bus ask for and change the log configuration.
func (r *Runtime) serveLogConfig(ctx context.Context) error {
	_, err := r.bus.Subscribe(ctx, eventbus.Pattern{System: logs.System, Kind: "logs.config.(set|get)"}, func(e eventbus.Event) {
		if err := r.logs.HandleEvent(e.Kind, e.Path, e.Data); err != nil {
			r.log.Warn("log configuration refused", "path", e.Path, "error", err)
		}
	})
	return err
}
