// SPDX-License-Identifier: Apache-2.0

package exec

import (
	"context"
	"maps"
	"path/filepath"
	"slices"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
)

// KindNative is the kind of executors that run commands on this machine.
const KindNative = "exec.native"

// Listener keeps executors as the entries say.
type Listener struct {
	// Dir is where relative directories begin and commands run that name none, "" for this
	// program's own.
	Dir string

	executors *Executors
	warn      func(registry.Entry, []fields.Warning)
}

// NewListener keeps executors; warn hears of fields nobody knows.
func NewListener(executors *Executors, warn func(registry.Entry, []fields.Warning)) *Listener {
	return &Listener{executors: executors, warn: warn}
}

// Create adds an executor.
func (l *Listener) Create(_ context.Context, e registry.Entry) error {
	c, err := l.decode(e)
	if err != nil {
		return err
	}
	return l.executors.Add(e.ID.String(), c)
}

// Update replaces one for those who ask for it from now on.
func (l *Listener) Update(_ context.Context, _, next registry.Entry) error {
	c, err := l.decode(next)
	if err != nil {
		return err
	}
	return l.executors.Replace(next.ID.String(), c)
}

// Delete removes one.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	return l.executors.Remove(e.ID.String())
}

func (l *Listener) decode(e registry.Entry) (Config, error) {
	r := fields.New(e.Data)
	r.Ignore("lifecycle")
	c := Config{Dir: r.String("default_work_dir", ""), Env: map[string]string{}, Whitelist: r.Strings("command_whitelist")}
	if c.Dir == "" || !filepath.IsAbs(c.Dir) {
		c.Dir = filepath.Join(l.Dir, c.Dir)
	}
	c.Dir = filepath.Clean(c.Dir)
	all, _ := r.Any("default_env").(map[string]any)
	env := r.Sub("default_env")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c.Env[name], _ = env.Scalar(name)
	}
	if _, err := environment(c.Env, nil); err != nil {
		r.Reject("default_env", err.Error())
	}
	if l.warn != nil {
		l.warn(e, r.Unknown())
	}
	return c, r.Err()
}
