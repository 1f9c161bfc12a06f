// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/boot"
	"github.com/wippyrun/kit/wippy/boot/config"
)

// Bounds of the columns of a listing.
const (
	idWidth   = 50
	kindWidth = 30
)

// entryFilter selects entries by globs of their root fields and by metadata.
type entryFilter struct {
	kind, ns, name string
	meta           []string
}

// match compiles the filter. Unlike a query of a program a malformed criterion is an
// error: nobody would notice that it does not count.
func (f entryFilter) match() (func(registry.Entry) bool, error) {
	roots := map[string]any{}
	for key, glob := range map[string]string{".kind": f.kind, ".ns": f.ns, ".name": f.name} {
		if glob != "" {
			roots[key] = glob
		}
	}
	all := []func(registry.Entry) bool{registry.CompileQuery(roots).Match}
	for _, text := range f.meta {
		m, err := metaCriterion(text)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return func(e registry.Entry) bool {
		for _, m := range all {
			if !m(e) {
				return false
			}
		}
		return true
	}, nil
}

// metaCriterion reads field=value, field~regexp, field*part, field^prefix or
// field$suffix. Of the four operators that are not "=" the first one in the text counts
// before any "=".
func metaCriterion(text string) (func(registry.Entry) bool, error) {
	at := strings.IndexAny(text, "~*^$")
	if at < 0 {
		at = strings.IndexByte(text, '=')
	}
	if at < 0 {
		return nil, withHint(fmt.Errorf("invalid --meta %q: no operator", text), "forms: field=value, field~regexp, field*part, field^prefix, field$suffix")
	}
	field, op, value := strings.TrimPrefix(strings.TrimSpace(text[:at]), "meta."), text[at:at+1], text[at+1:]
	if field == "" {
		return nil, fmt.Errorf("invalid --meta %q: no field before %s", text, op)
	}
	if op != "=" {
		q := registry.CompileQuery(map[string]any{op + "meta." + field: value})
		if w := q.Warnings(); len(w) > 0 {
			_, reason, _ := strings.Cut(w[0], ": ")
			return nil, fmt.Errorf("invalid --meta %q: %s", text, reason)
		}
		return q.Match, nil
	}
	asText := registry.CompileQuery(map[string]any{"meta." + field: value})
	typed := registry.CompileQuery(map[string]any{"meta." + field: config.ParseScalar(value)})
	return func(e registry.Entry) bool { return asText.Match(e) || typed.Match(e) }, nil
}

func (c *cli) registryList() *cobra.Command {
	var (
		flags  projectFlags
		filter entryFilter
		out    formats
		at     string
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List entries, sorted by id",
		Long: `List the entries of the project, sorted by id. All filters given have to match.

Globs have one or more *, which also match dots. Filters on metadata are
  field=value    equal, or an item of a list
  field~regexp   matches the regular expression
  field*part     contains
  field^prefix   begins with
  field$suffix   ends with`,
		Example: `  wippy registry list -n "app.*" -k "*.lua"
  wippy registry list --meta type=tool --meta "title^Get" --json
  wippy registry list --at v0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			match, err := filter.match()
			if err != nil {
				return err
			}
			return c.withVersions(cmd.Context(), &flags, false, func(r *boot.Versions) error {
				s, err := snapshotAt(r, at)
				if err != nil {
					return err
				}
				var found []registry.Entry
				for e := range s.All() {
					if match(e) {
						found = append(found, e)
					}
				}
				slices.SortFunc(found, func(a, b registry.Entry) int { return strings.Compare(a.ID.String(), b.ID.String()) })
				return c.writeEntries(found, out)
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&filter.kind, "kind", "k", "", "entries whose kind matches the `glob`")
	f.StringVarP(&filter.ns, "ns", "n", "", "entries whose namespace matches the `glob`")
	f.StringVar(&filter.name, "name", "", "entries whose name matches the `glob`")
	f.StringArrayVar(&filter.meta, "meta", nil, "entries with metadata that meets the `filter`, repeatable")
	f.BoolVar(&out.json, "json", false, "print a JSON array")
	f.BoolVar(&out.yaml, "yaml", false, "print a YAML list")
	f.StringVar(&at, "at", "", "list another `version` of the stored history")
	flags.add(f)
	return cmd
}

// listedEntry is an entry as lists show it.
type listedEntry struct {
	Meta map[string]any `json:"meta,omitempty" yaml:"meta,omitempty"`
	ID   string         `json:"id" yaml:"id"`
	Kind string         `json:"kind" yaml:"kind"`
}

func (c *cli) writeEntries(entries []registry.Entry, out formats) error {
	if out.json || out.yaml {
		list := make([]listedEntry, len(entries))
		for i, e := range entries {
			list[i] = listedEntry{Meta: e.Meta, ID: e.ID.String(), Kind: e.Kind}
		}
		if out.json {
			return writeJSON(c.stdout, list)
		}
		return writeYAML(c.stdout, list)
	}
	if len(entries) == 0 {
		_, err := fmt.Fprintln(c.stdout, "No entries found")
		return err
	}
	rows := make([][]string, len(entries))
	for i, e := range entries {
		rows[i] = []string{e.ID.String(), e.Kind}
	}
	if err := writeTable(c.stdout, []column{{"ID", idWidth}, {"KIND", kindWidth}}, rows, c.console); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.stdout, "\nTotal: %d entries\n", len(entries))
	return err
}
