// SPDX-License-Identifier: Apache-2.0

package wippy

import (
	"io"
	"io/fs"
	"maps"

	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/boot"
	"github.com/wippyrun/kit/wippy/service/otel"
)

// Option says what New shall run and how.
type Option interface{ apply(*boot.Options) }

type optionFunc func(*boot.Options)

func (f optionFunc) apply(o *boot.Options) { f(o) }

// Dir names the project directory; the current one is the default.
func Dir(path string) Option { return optionFunc(func(o *boot.Options) { o.Dir = path }) }

// ConfigFiles names the configuration files, which are read in order. Without it
// .wippy.yaml of the project is read when it exists.
func ConfigFiles(paths ...string) Option {
	return optionFunc(func(o *boot.Options) { o.ConfigFiles = paths })
}

// Set lays one value over the configuration files, written "section.path=value" as after
// --set.
func Set(assignment string) Option {
	return optionFunc(func(o *boot.Options) { o.Set = append(o.Set, assignment) })
}

// Override replaces a field of an entry, written "namespace:entry:path=value" as after -o.
func Override(assignment string) Option {
	return optionFunc(func(o *boot.Options) { o.Override = append(o.Override, assignment) })
}

// Lenient skips broken entry files with a warning instead of refusing to start.
func Lenient() Option { return optionFunc(func(o *boot.Options) { o.Lenient = true }) }

// Telemetry makes the section otel of the configuration work: start sends traces and metrics. The one of
// wippy/service/otel/export sends them to a collector.
func Telemetry(start otel.Start) Option {
	return optionFunc(func(o *boot.Options) { o.Telemetry = start })
}

// Streams sets where terminal processes read and write, and where logs go: stderr. Those
// of the program are the default; nil leaves one as it is.
func Streams(stdin io.Reader, stdout, stderr io.Writer) Option {
	return optionFunc(func(o *boot.Options) { o.Stdin, o.Stdout, o.Stderr = stdin, stdout, stderr })
}

// Logs sets how much is logged: LogNothing, LogErrors, LogAll or LogDebug. LogAll is the
// default.
func Logs(level LogLevel) Option {
	return optionFunc(func(o *boot.Options) {
		o.Silent, o.Quiet, o.Verbose = level == LogNothing, level == LogErrors, level == LogDebug
	})
}

// LogLevel is how much is logged.
type LogLevel uint8

const (
	// LogAll logs what an operator wants to know.
	LogAll LogLevel = iota
	// LogNothing keeps stderr for the program.
	LogNothing
	// LogErrors logs errors nobody else handles.
	LogErrors
	// LogDebug adds what a developer wants to know.
	LogDebug
)

// Kind adds an entry kind: entries whose kind matches the pattern ("shop.rule",
// "shop.*") are created, updated and deleted by l, in the order of their dependencies.
func Kind(pattern string, l registry.Listener) Option {
	return optionFunc(func(o *boot.Options) { o.Kinds = append(o.Kinds, boot.Kind{Pattern: pattern, Listener: l}) })
}

// Module adds a Lua module, which entries list under modules.
func Module(m engine.Module) Option {
	return optionFunc(func(o *boot.Options) { o.Modules = append(o.Modules, m) })
}

// Files gives the entry id, of kind fs.embed, its files, for example an embed.FS. They can be read only.
func Files(id string, files fs.FS) Option {
	return optionFunc(func(o *boot.Options) {
		o.Files = maps.Clone(o.Files)
		if o.Files == nil {
			o.Files = map[string]fs.FS{}
		}
		o.Files[id] = files
	})
}

// Component adds a component to the boot graph. It may depend on the standard ones, by
// the names that `wippy boot --plan` prints, and finds what they offer in the AppContext,
// under the keys of package boot.
func Component(c loader.Component) Option {
	return optionFunc(func(o *boot.Options) { o.Components = append(o.Components, c) })
}
