// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/history/sqlite"
	"github.com/wippyrun/kit/wippy/boot/config"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// The values of registry.history_type.
const (
	historyMemory = "memory"
	historyNil    = "nil"
	historySQLite = "sqlite"
)

// historyType tells where versions are kept according to the configuration.
func historyType(c *config.Config) string {
	if !c.Bool("registry", "enable_history", true) {
		return historyNil
	}
	return c.String("registry", "history_type", historyMemory)
}

// historyPath is the file of a history in SQLite.
func historyPath(o Options, c *config.Config) string {
	path := c.String("registry", "history_path", ".wippy/registry.db")
	if !filepath.IsAbs(path) {
		path = filepath.Join(o.Dir, path)
	}
	return path
}

// openHistory opens the history of a runtime.
func openHistory(ctx context.Context, o Options, c *config.Config, log *slog.Logger) (registry.History, error) {
	switch kind := historyType(c); kind {
	case historyMemory:
		return registry.NewMemoryHistory(), nil
	case historyNil:
		return registry.NewNilHistory(), nil
	case historySQLite:
		return sqlite.Open(ctx, historyPath(o, c))
	default:
		log.Warn("unknown registry.history_type, keeping versions in memory", "history_type", kind)
		return registry.NewMemoryHistory(), nil
	}
}

// ErrNoHistory is returned for a project of which no past versions are stored.
var ErrNoHistory = fault.New(fault.NotFound, "no stored history")

// exclusiveWait is how long somebody who wants the stored history for itself waits for
// others, such as a listing of it, to be done.
const exclusiveWait = time.Second

// storedHistory opens the history that a runtime of the project has left behind. It makes
// none: when there is none the error is ErrNoHistory and tells how to get one.
func storedHistory(ctx context.Context, o Options, c *config.Config, exclusive bool) (registry.History, error) {
	missing := func(why, hint string) error {
		return fmt.Errorf("%w: %s\n  hint: %s", ErrNoHistory, why, hint)
	}
	const enable = "to keep versions, set in .wippy.yaml: registry: {history_type: sqlite}"
	switch kind := historyType(c); kind {
	case historySQLite:
	case historyNil:
		return nil, missing("the configuration switches history off", enable+", and leave enable_history out")
	case historyMemory:
		return nil, missing("versions are kept in memory and end with the program", enable)
	default:
		return nil, missing("unknown registry.history_type "+kind, enable)
	}
	path := historyPath(o, c)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, missing(path+" does not exist", "it is made when the application runs for the first time")
	}
	var options []sqlite.Option
	if exclusive {
		options = append(options, sqlite.WithExclusive(), sqlite.WithBusyTimeout(exclusiveWait))
	}
	h, err := sqlite.Open(ctx, path, options...)
	if errors.Is(err, sqlite.ErrInUse) {
		return nil, fault.Wrap(fault.Conflict, "the history is in use: a runtime has "+path+" open\n  hint: stop it first, or let the application itself go back with registry.apply_version", sqlite.ErrInUse)
	}
	if err != nil {
		return nil, err
	}
	return h, nil
}
