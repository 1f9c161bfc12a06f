// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/boot/config"
	"github.com/wippyrun/kit/wippy/service/otel"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// Options say which application to run and how. The zero value runs the one in
// the current directory with its own configuration.
type Options struct {
	Dir         string   // project directory, "" means the current one
	ConfigFiles []string // read in order; none means .wippy.yaml when it exists
	LockFile    string   // "" means wippy.lock when it exists
	Profiles    []string // profiles of the configuration files, laid over them in order
	Set         []string // section.path=value, above all files
	Override    []string // namespace:entry:path=value
	Lenient     bool     // skip broken entry files with a warning

	Verbose, VeryVerbose bool // debug logs; with stack traces
	Console              bool // coloured logs
	Silent               bool // no logs
	Quiet                bool // errors only: for programs that own the terminal
	EventStreams         bool // log records also go to the event bus
	Profiler             bool // pprof on localhost:6060

	// Control serves the socket on which other programs of the user look at the node and
	// start and stop its services, unless control.enabled is false. Version is what it tells
	// of the program.
	Control bool
	Version string

	Components []loader.Component // of the embedding program; they may depend on the standard ones
	Kinds      []Kind             // entry kinds of the embedding program
	Modules    []engine.Module    // Lua modules of the embedding program
	Telemetry  otel.Start         // sends traces and metrics; nil makes otel.enabled an error
	Files      map[string]fs.FS   // what entries of kind fs.embed give, by entry id

	Stdin          io.Reader // nil means os.Stdin
	Stdout, Stderr io.Writer // nil means os.Stdout and os.Stderr

	_ struct{} // options are given by name
}

// Kind is an entry kind, a pattern as registry.Listen takes it, and who handles it.
type Kind struct {
	Pattern  string
	Listener registry.Listener
}

func (o Options) withDefaults() Options {
	if o.Dir == "" {
		o.Dir = "."
	}
	if o.Stdin == nil {
		o.Stdin = os.Stdin
	}
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	return o
}

// configure reads the configuration and lays the flags over it: what a flag
// implies is above the files, --set above that, -o goes to the overrides.
func (o Options) configure() (*config.Config, []string, error) {
	c, warnings, err := config.Load(o.Dir, o.ConfigFiles, o.Profiles)
	if err != nil {
		return nil, nil, err
	}
	if o.Verbose || o.VeryVerbose {
		c.Set("logmanager", "min_level", -1)
	}
	if o.EventStreams {
		c.Set("logmanager", "stream_to_events", true)
	}
	if o.Profiler {
		c.Set("profiler", "enabled", true)
	}
	for _, arg := range o.Set {
		if err := c.SetFlag(arg); err != nil {
			return nil, nil, err
		}
	}
	for _, arg := range o.Override {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, nil, fault.New(fault.Invalid, "invalid override: "+arg+" (expected namespace:entry:path=value)")
		}
		c.SetAt("override", key, config.ParseScalar(value), "-o")
	}
	return c, append(warnings, c.Check()...), nil
}
