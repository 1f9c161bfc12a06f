// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/pflag"

	"github.com/wippyrun/kit/wippy/boot"
	"github.com/wippyrun/kit/wippy/boot/project"
)

// projectFlags are the flags that shape the entries and the configuration of a project,
// the same for all commands that read one.
type projectFlags struct {
	lockFile                  string
	profiles, sets, overrides []string
	lenient                   bool
}

func (p *projectFlags) add(flags *pflag.FlagSet) {
	flags.StringVarP(&p.lockFile, "lock-file", "l", "", "lock `file` (default "+project.LockFile+" when it exists)")
	flags.StringArrayVar(&p.profiles, "profile", nil, "lay the profile `name` of the configuration over it, repeatable")
	flags.StringArrayVar(&p.sets, "set", nil, "set a configuration value: `section.path=value`")
	flags.StringSliceVarP(&p.overrides, "override", "o", nil, "replace a field of an entry: `namespace:entry:path=value`")
	flags.BoolVar(&p.lenient, "lenient", false, "skip broken entry files with a warning instead of stopping")
}

// options are the boot options of a command with these flags.
func (p *projectFlags) options(c *cli) boot.Options {
	o := c.options()
	o.LockFile, o.Lenient = p.lockFile, p.lenient
	o.Profiles, o.Set, o.Override = p.profiles, p.sets, p.overrides
	return o
}
