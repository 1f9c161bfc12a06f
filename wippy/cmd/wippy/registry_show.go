// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/boot"
	"github.com/wippyrun/kit/wippy/system/suggest"
)

func (c *cli) registryShow() *cobra.Command {
	var (
		flags     projectFlags
		out       formats
		field, at string
		raw       bool
	)
	cmd := &cobra.Command{
		Use:   "show <id | name>",
		Short: "Show one entry, or one field of it",
		Long: `Show one entry, named by its id, namespace:name, or by its name alone when no
other entry has it. A field is a path into the entry's data, such as pool.size,
or kind or meta.title.`,
		Example: `  wippy registry show app:main
  wippy registry show main --json
  wippy registry show app:main -f source --raw > main.lua`,
		Args: exactly(1, "an entry id or name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			return c.withVersions(cmd.Context(), &flags, false, func(r *boot.Versions) error {
				s, err := snapshotAt(r, at)
				if err != nil {
					return err
				}
				e, err := findEntry(s, args[0])
				if err != nil {
					return err
				}
				if field != "" {
					return c.writeField(e, field, out, raw)
				}
				return c.writeEntry(e, out, raw)
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&field, "field", "f", "", "show the field at `path` of the data alone")
	f.BoolVar(&out.json, "json", false, "print JSON")
	f.BoolVar(&out.yaml, "yaml", false, "print YAML")
	f.BoolVar(&raw, "raw", false, "print YAML, or with -f the bare value without a newline")
	f.StringVar(&at, "at", "", "show it in another `version` of the stored history")
	flags.add(f)
	return cmd
}

// exactly asks for n arguments and names what is missing.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return withHint(fmt.Errorf("%s is required", what), "usage: "+cmd.UseLine())
		case len(args) > n:
			return withHint(fmt.Errorf("unexpected argument %q", args[n]), "usage: "+cmd.UseLine())
		}
		return nil
	}
}

// findEntry finds an entry by id, or by name when only one has it.
func findEntry(s registry.Snapshot, text string) (registry.Entry, error) {
	if e, ok := s.Get(registry.ParseID(text)); ok {
		return e, nil
	}
	var found []registry.Entry
	var known []string
	for e := range s.All() {
		known = append(known, e.ID.String())
		if e.ID.Name == text {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		if !strings.Contains(text, ":") { // compare with what somebody would have typed
			for _, id := range known {
				known = append(known, registry.ParseID(id).Name)
			}
		}
		return registry.Entry{}, withHint(fmt.Errorf("entry not found: %s", text), suggest.Hint(text, known), "see `wippy registry list`")
	}
	ids := make([]string, len(found))
	for i, e := range found {
		ids[i] = e.ID.String()
	}
	slices.Sort(ids)
	return registry.Entry{}, withHint(fmt.Errorf("ambiguous entry name %q, use full ID (namespace:name)", text), "entries: "+strings.Join(ids, ", "))
}

func (c *cli) writeEntry(e registry.Entry, out formats, raw bool) error {
	if out.json || out.yaml || raw {
		meta := e.Meta
		if meta == nil {
			meta = map[string]any{}
		}
		whole := map[string]any{"id": e.ID.String(), "kind": e.Kind, "meta": meta, "data": e.Data}
		if out.json {
			return writeJSON(c.stdout, whole)
		}
		return writeYAML(c.stdout, whole)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "ID:   %s\nKind: %s\n", printable(e.ID.String()), printable(e.Kind))
	if place := e.Position(""); place != "" {
		fmt.Fprintf(&b, "File: %s\n", printable(place))
	}
	if len(e.Meta) > 0 {
		b.WriteString("Metadata:\n")
		for _, key := range slices.Sorted(maps.Keys(e.Meta)) {
			fmt.Fprintf(&b, "  %s: %s\n", printable(key), inline(e.Meta[key]))
		}
	}
	if data, isMap := e.Data.(map[string]any); e.Data != nil && (!isMap || len(data) > 0) {
		b.WriteString("Data:\n")
		var text bytes.Buffer
		if err := writeYAML(&text, e.Data); err != nil {
			return err
		}
		for line := range strings.Lines(text.String()) {
			if line != "\n" {
				b.WriteString("  ")
			}
			b.WriteString(line)
		}
	}
	_, err := c.stdout.Write(b.Bytes())
	return err
}

// inline renders a value on one line.
func inline(v any) string {
	if s, ok := v.(string); ok {
		return printable(s)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return printable(fmt.Sprint(v))
	}
	return printable(string(text))
}

func (c *cli) writeField(e registry.Entry, field string, out formats, raw bool) error {
	v, ok := registry.Lookup(e.Data, field)
	if !ok {
		v, ok = e.Field(field)
	}
	if !ok {
		var known []string
		if data, ok := e.Data.(map[string]any); ok {
			known = slices.Collect(maps.Keys(data))
		}
		return withHint(fmt.Errorf("field %q not found in entry data", field), suggest.Hint(field, known), "see `wippy registry show "+e.ID.String()+"`")
	}
	text, isText := v.(string)
	switch {
	case out.json:
		return writeJSON(c.stdout, v)
	case out.yaml || !isText && !raw:
		return writeYAML(c.stdout, v)
	case !isText:
		var b bytes.Buffer
		if err := writeYAML(&b, v); err != nil {
			return err
		}
		text = strings.TrimSuffix(b.String(), "\n")
	case !raw:
		text += "\n"
	}
	_, err := fmt.Fprint(c.stdout, text)
	return err
}
