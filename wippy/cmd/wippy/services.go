// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/wippy/service/control"
	"github.com/wippyrun/kit/wippy/system/inspect"
)

func (c *cli) services() *cobra.Command {
	var (
		f      nodeFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "services",
		Short: "List, start and stop the services of a running node",
		Long:  `List the services of a running node with their states, or start and stop one.`,
		Example: `  wippy services
  wippy services stop app:gateway
  wippy services start app:gateway`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := interruptible()
			defer cancel()
			node, err := c.connect(ctx, cmd, f)
			if err != nil {
				return err
			}
			defer node.Close()
			list, err := node.Services(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.stdout, list)
			}
			serviceTable(list).write(c.stdout, 0)
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(
		c.changeService("start", "Start a service, after what it depends on", (*control.Client).StartService),
		c.changeService("stop", "Stop a service, after what depends on it", (*control.Client).StopService),
	)
	return cmd
}

func (c *cli) changeService(verb, short string, change func(*control.Client, context.Context, string) (inspect.Service, error)) *cobra.Command {
	var f nodeFlags
	cmd := &cobra.Command{
		Use:     verb + " id",
		Short:   short,
		Long:    short + ".\n\nThe state that it is in afterwards is printed.",
		Example: "  wippy services " + verb + " app:gateway",
		Args:    exactly(1, "a service id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := interruptible()
			defer cancel()
			node, err := c.connect(ctx, cmd, f)
			if err != nil {
				return err
			}
			defer node.Close()
			s, err := change(node, ctx, args[0])
			if err != nil {
				return fmt.Errorf("cannot %s %s: %w", verb, args[0], err)
			}
			fmt.Fprintf(c.stdout, "%s is %s\n", s.ID, s.State)
			return nil
		},
	}
	f.add(cmd)
	return cmd
}

func serviceTable(list []inspect.Service) *table {
	t := &table{titles: []string{"SERVICE", "STATE", "DESIRED", ">RETRIES", ">UP", "DETAILS"}}
	for _, s := range list {
		t.add(serviceRow(s)...)
	}
	return t
}

func serviceRow(s inspect.Service) []string {
	up := "-"
	if s.State == "running" && !s.StartedAt.IsZero() {
		up = span(time.Since(s.StartedAt))
	}
	return []string{s.ID, s.State, s.Desired, strconv.Itoa(s.Retries), up, s.Details}
}
