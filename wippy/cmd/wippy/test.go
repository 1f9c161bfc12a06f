// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"
)

func (c *cli) test() *cobra.Command {
	var (
		project projectFlags
		host    string
	)
	cmd := &cobra.Command{
		Use:   "test [name] [arguments…]",
		Short: "Run the tests of the application",
		Long: `Start the application and run the process entry that tests it, on the terminal
host and with the remaining arguments. Its result decides the exit code, as with
wippy run.

The entry says that it is a test: meta: {command: {name: test, use_case: test}}.
Of several the one that is named runs, else the one with main: true.`,
		Example: `  wippy test
  wippy test unit --verbose
  wippy test --profile test -o app:db:path=:memory:`,
		RunE: func(_ *cobra.Command, args []string) error {
			options, err := project.options(c)
			if err != nil {
				return err
			}
			if len(args) > 0 {
				if err := refuseTarget(args[0]); err != nil {
					return err
				}
			}
			return c.start(options, foreground{test: true, host: host, args: args})
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false) // what follows the name belongs to the process
	flags.StringVar(&host, "host", "", "terminal host `id` to run it on, when there are several")
	project.add(flags)
	acceptRegistry(flags)
	return cmd
}
