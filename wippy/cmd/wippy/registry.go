// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/boot"
)

func (c *cli) registry() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "registry",
		Short: "Look at the entries of a project and at their history",
		Long: `Look at the entries of the project in the project directory, without starting
anything: the entries of its files, shaped by overrides, disabled entries and
requirements the way a start would, and the changes of its stored history.

Versions are written v3 or 3; head is the present one, v0 the files alone. They
are stored when .wippy.yaml says registry: {history_type: sqlite}.`,
		Example: `  wippy registry list --kind "function.*" --meta type=tool
  wippy registry show app:main
  wippy registry history
  wippy registry diff v2 head
  wippy registry rollback v2 --dry-run`,
		Args: c.unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.registryList(), c.registryShow(), c.registryHistory(), c.registryDiff(), c.registryRollback())
	return cmd
}

// withVersions runs f with the registry of a project; stored asks for past versions.
func (c *cli) withVersions(ctx context.Context, flags *projectFlags, stored bool, f func(*boot.Versions) error) (err error) {
	options, err := flags.options(c)
	if err != nil {
		return err
	}
	p, err := boot.Inspect(ctx, options)
	if err != nil {
		return err
	}
	open := p.Registry
	if stored {
		open = func(ctx context.Context) (*boot.Versions, error) { return p.Versions(ctx, false) }
	}
	v, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if e := v.Close(); err == nil {
			err = e
		}
	}()
	return f(v)
}

// parseVersion reads the name of a version.
func parseVersion(r *boot.Versions, text string) (registry.Version, error) {
	if strings.EqualFold(text, "head") {
		return r.Current(), nil
	}
	id, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(text), "v"), 10, 63)
	if err != nil {
		return registry.Version{}, withHint(fmt.Errorf("invalid version %q", text), "versions are written v3 or 3; head is the present one")
	}
	v, err := r.Version(id)
	if err != nil {
		all, _ := r.Versions()
		hint := fmt.Sprintf("there are %d versions, up to v%d: see `wippy registry history`", len(all), all[len(all)-1].ID)
		if !r.Stored {
			hint = "this project has no stored history; set in .wippy.yaml: registry: {history_type: sqlite}"
		}
		return v, withHint(fmt.Errorf("version not found: v%d", id), hint)
	}
	return v, nil
}

// snapshotAt is the state of a version given as text, the present one when it is empty.
func snapshotAt(r *boot.Versions, version string) (registry.Snapshot, error) {
	if version == "" {
		return r.Snapshot(), nil
	}
	v, err := parseVersion(r, version)
	if err != nil {
		return registry.Snapshot{}, err
	}
	return r.SnapshotAt(v)
}
