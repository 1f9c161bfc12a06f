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

// newLogs sets logging up: on stderr, for people when that is a terminal and as
// JSON when it is not, unless the configuration or a flag asks for one of them.
func newLogs(o Options, c *config.Config, bus *eventbus.Bus) (*logs.Manager, error) {
	format := logs.JSON
	if f, ok := o.Stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		format = logs.Console
	}
	if name := c.String("logger", "encoding", ""); name != "" {
		f, ok := logs.ParseFormat(name)
		if !ok {
			return nil, fault.New(fault.Invalid, "logger.encoding: unknown encoding "+name+" (console or json)")
		}
		format = f
	}
	if o.Console {
		format = logs.Color
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
	return logs.New(o.Stderr, options), nil
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
