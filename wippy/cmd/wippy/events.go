// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/wippy/service/control"
)

func (c *cli) events() *cobra.Command {
	var (
		f      nodeFlags
		asJSON bool
		limit  int
	)
	cmd := &cobra.Command{
		Use:   "events [system [kind]]",
		Short: "Follow the events of a running node",
		Long: `Follow the events of a running node, until Ctrl-C or the end of the node.

System and kind are patterns: "*" stands for one part between dots, "**" for any
number of parts, "(a|b)" for one of several.`,
		Example: `  wippy events
  wippy events supervisor
  wippy events registry 'entry.*' --json`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := interruptible()
			defer cancel()
			node, err := c.connect(ctx, cmd, f)
			if err != nil {
				return err
			}
			defer node.Close()
			var pattern [2]string
			copy(pattern[:], args)
			seen := 0
			err = node.Events(ctx, pattern[0], pattern[1], func(e control.Event) error {
				seen++
				if limit > 0 && seen == limit {
					defer cancel()
				}
				if asJSON {
					return json.NewEncoder(c.stdout).Encode(e)
				}
				if e.Dropped > 0 {
					fmt.Fprintf(c.stderr, "%d events were lost: they come faster than they are read\n", e.Dropped)
				}
				_, err := fmt.Fprintf(c.stdout, "%s  %-12s %-20s %s %s\n", e.At.Format("15:04:05.000"), e.System, e.Kind, e.Path, e.Data)
				return err
			})
			if ctx.Err() != nil {
				return nil
			}
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object on each line")
	cmd.Flags().IntVarP(&limit, "limit", "n", 0, "end after `n` events")
	return cmd
}
