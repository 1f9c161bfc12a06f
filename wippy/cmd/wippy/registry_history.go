// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/boot"
)

// commentWidth bounds the comment of a version in a listing.
const commentWidth = 60

func (c *cli) registryHistory() *cobra.Command {
	var (
		flags  projectFlags
		asJSON bool
		limit  int
	)
	cmd := &cobra.Command{
		Use:   "history",
		Short: "List the stored versions, newest first",
		Long: `List the versions that changes at run time have made, newest first. A star marks
the present one. A version that is not the parent of the next was left by a
rollback; it can be gone back to.`,
		Example: "  wippy registry history --limit 10\n  wippy registry history --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return fmt.Errorf("invalid --limit %d: must not be negative", limit)
			}
			return c.withVersions(cmd.Context(), &flags, true, func(r *boot.Versions) error {
				list, err := versionsOf(cmd.Context(), r, limit)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(c.stdout, list)
				}
				return c.writeHistory(c.stdout, list)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	cmd.Flags().IntVar(&limit, "limit", 0, "list at most `n` versions (0 for all)")
	flags.add(cmd.Flags())
	return cmd
}

// listedVersion is a version as lists show it.
type listedVersion struct {
	Version string  `json:"version"`
	Parent  *string `json:"parent"` // null of v0
	Head    bool    `json:"head"`
	Time    string  `json:"time,omitempty"`
	Author  string  `json:"author,omitempty"`
	Comment string  `json:"comment,omitempty"`
	Created int     `json:"created"`
	Updated int     `json:"updated"`
	Deleted int     `json:"deleted"`

	at time.Time
}

// versionsOf lists versions, newest first.
func versionsOf(ctx context.Context, r *boot.Versions, limit int) ([]listedVersion, error) {
	records, err := r.Log(ctx)
	if err != nil {
		return nil, err
	}
	slices.Reverse(records)
	if limit > 0 {
		records = records[:min(limit, len(records))]
	}
	head := r.Current().ID
	list := make([]listedVersion, len(records))
	for i, rec := range records {
		v := listedVersion{Version: rec.Version.String(), Head: rec.ID == head, Author: rec.Author, Comment: rec.Comment, at: rec.Time}
		if !rec.IsRoot() {
			parent := registry.Version{ID: rec.Parent}.String()
			v.Parent = &parent
		}
		if !rec.Time.IsZero() {
			v.Time = rec.Time.Format(time.RFC3339Nano)
		}
		changes, err := r.Changes(ctx, rec.Version)
		if err != nil {
			return nil, err
		}
		for _, op := range changes {
			switch op.Kind {
			case registry.Create:
				v.Created++
			case registry.Update:
				v.Updated++
			case registry.Delete:
				v.Deleted++
			}
		}
		list[i] = v
	}
	return list, nil
}

func (c *cli) writeHistory(w io.Writer, list []listedVersion) error {
	rows := make([][]string, len(list))
	for i, v := range list {
		row := []string{v.Version, "", "", v.Author, fmt.Sprintf("+%d ~%d -%d", v.Created, v.Updated, v.Deleted), ""}
		if v.Head {
			row[0] += " *"
		}
		if v.Parent != nil {
			row[1] = *v.Parent
			row[5], _, _ = strings.Cut(v.Comment, "\n")
		} else {
			row[5] = "the entries from files"
		}
		if v.Time != "" {
			row[2] = v.at.Local().Format(time.DateTime)
		}
		rows[i] = row
	}
	return writeTable(w, []column{{"VERSION", 0}, {"PARENT", 0}, {"TIME", 0}, {"AUTHOR", 20}, {"CHANGES", 0}, {"COMMENT", commentWidth}}, rows, c.console)
}

func (c *cli) registryDiff() *cobra.Command {
	var (
		flags  projectFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "diff [from [to]]",
		Short: "Show what differs between two versions",
		Long: `Show what leads from one version to another: every entry and field that was
added (+), changed (~) or removed (-). Without versions: from the files (v0) to
the present one; with one version: from that to the present one.`,
		Example: "  wippy registry diff\n  wippy registry diff v3\n  wippy registry diff v1 v2 --json",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 2 {
				return withHint(fmt.Errorf("unexpected argument %q", args[2]), "usage: "+cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withVersions(cmd.Context(), &flags, true, func(r *boot.Versions) error {
				from, to := registry.Version{}, r.Current()
				var err error
				if len(args) > 0 {
					if from, err = parseVersion(r, args[0]); err != nil {
						return err
					}
				}
				if len(args) > 1 {
					if to, err = parseVersion(r, args[1]); err != nil {
						return err
					}
				}
				d, err := r.Diff(from, to)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(c.stdout, jsonDifference(d))
				}
				return c.writeDifference(c.stdout, d)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	flags.add(cmd.Flags())
	return cmd
}

// difference is a registry.Difference for programs.
type difference struct {
	From    string            `json:"from"`
	To      string            `json:"to"`
	Entries []entryDifference `json:"entries"`
}

type entryDifference struct {
	ID     string           `json:"id"`
	How    registry.How     `json:"how"`
	Kind   string           `json:"kind"`
	Fields []map[string]any `json:"fields"`
}

func jsonDifference(d registry.Difference) difference {
	out := difference{From: d.From.String(), To: d.To.String(), Entries: make([]entryDifference, len(d.Entries))}
	for i, e := range d.Entries {
		present := e.New
		if present == nil {
			present = e.Old
		}
		x := entryDifference{ID: e.ID.String(), How: e.How, Kind: present.Kind, Fields: make([]map[string]any, len(e.Fields))}
		for j, f := range e.Fields {
			m := map[string]any{"path": f.Path, "how": f.How}
			if f.How != registry.Added {
				m["old"] = f.Old
			}
			if f.How != registry.Removed {
				m["new"] = f.New
			}
			x.Fields[j] = m
		}
		out.Entries[i] = x
	}
	return out
}

// writeDifference writes a difference for people, coloured when they asked for colours.
func (c *cli) writeDifference(w io.Writer, d registry.Difference) error {
	text := d.String()
	if c.console {
		var b strings.Builder
		for line := range strings.Lines(text) {
			switch strings.TrimLeft(line, " ")[0] {
			case '+':
				line = styleGreen + strings.TrimSuffix(line, "\n") + styleReset + "\n"
			case '-':
				line = styleRed + strings.TrimSuffix(line, "\n") + styleReset + "\n"
			case '~':
				line = styleYellow + strings.TrimSuffix(line, "\n") + styleReset + "\n"
			}
			b.WriteString(line)
		}
		text = b.String()
	}
	_, err := io.WriteString(w, text)
	return err
}
