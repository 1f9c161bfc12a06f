// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/csv"
	"fmt"
	"regexp"
	"strings"

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
	flags.StringArrayVar(&p.sets, "set", nil, "set a configuration value: `section.path=value`, repeatable")
	flags.StringArrayVarP(&p.overrides, "override", "o", nil, "replace a field of an entry: `namespace:entry:path=value`, several separated by commas, repeatable")
	flags.BoolVar(&p.lenient, "lenient", false, "skip broken entry files with a warning instead of stopping")
}

// acceptRegistry takes the address of a hub of modules, which scripts may pass along.
// Nothing is fetched from there: see refuseTarget.
func acceptRegistry(flags *pflag.FlagSet) {
	flags.String("registry", "", "`address` of a hub of modules, not used")
	_ = flags.MarkHidden("registry") // it exists
}

// options are the boot options of a command with these flags.
func (p *projectFlags) options(c *cli) (boot.Options, error) {
	o := c.options()
	o.LockFile, o.Lenient = p.lockFile, p.lenient
	o.Profiles, o.Set = p.profiles, p.sets
	for _, text := range p.overrides {
		list, err := splitOverrides(text)
		if err != nil {
			return o, err
		}
		o.Override = append(o.Override, list...)
	}
	return o, nil
}

// overrideKey is what an override begins with.
var overrideKey = regexp.MustCompile(`^[^:,=]+:[^:,=]+:[^=,]+=`)

// splitOverrides splits a list of overrides at its commas. A comma that is not followed by
// the key of another override belongs to the value. A list with quotes at the beginning of
// an item is read as a line of CSV, in which values may hold anything.
func splitOverrides(text string) ([]string, error) {
	if strings.HasPrefix(text, `"`) || strings.Contains(text, `,"`) {
		fields, err := csv.NewReader(strings.NewReader(text)).Read()
		if err == nil {
			return fields, nil
		}
		if strings.HasPrefix(text, `"`) {
			return nil, fmt.Errorf("invalid override: %s: %w", text, err)
		}
	}
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if len(out) > 0 && !overrideKey.MatchString(part) {
			out[len(out)-1] += "," + part
			continue
		}
		out = append(out, part)
	}
	return out, nil
}
