// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/wippy/boot"
)

func (c *cli) boot() *cobra.Command {
	var plan bool
	cmd := &cobra.Command{
		Use:   "boot",
		Short: "Show how the runtime starts",
		Long: `Show the component graph the runtime loads, computed from what each component
depends on. Components of one level load in parallel.`,
		Example: "  wippy boot --plan",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !plan {
				return cmd.Help()
			}
			levels, err := boot.Plan()
			if err != nil {
				return err
			}
			for i, level := range levels {
				fmt.Fprintf(c.stdout, "level %d\n", i)
				for _, component := range level {
					line := "  " + component.Name
					if len(component.DependsOn) > 0 {
						line += "  <- " + strings.Join(component.DependsOn, ", ")
					}
					fmt.Fprintln(c.stdout, line)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&plan, "plan", false, "print the components level by level")
	return cmd
}
