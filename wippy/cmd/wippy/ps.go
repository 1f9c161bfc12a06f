// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/wippy/service/control"
	"github.com/wippyrun/kit/wippy/system/inspect"
)

// processFlags choose processes.
type processFlags struct {
	nodeFlags
	order string
	limit int
}

func (f *processFlags) add(cmd *cobra.Command, order string, limit int) {
	f.nodeFlags.add(cmd)
	cmd.Flags().StringVar(&f.order, "sort", order, "order by `column`: "+strings.Join(inspect.Orders(), ", "))
	cmd.Flags().IntVarP(&f.limit, "limit", "n", limit, "show at most `n` processes, 0 for all")
}

func (c *cli) ps() *cobra.Command {
	var (
		f              processFlags
		asJSON, memory bool
	)
	cmd := &cobra.Command{
		Use:   "ps [text]",
		Short: "List the processes of a running node",
		Long: `List the processes of a running node: those whose id, entry, host or name
contains the text, or all.

QUEUE is what waits for the process: messages, and outcomes of what it asked
for.
WAITS is how many outcomes it waits for. STEPS counts how often a worker took it
up, TIME estimates how long it ran. MEMORY, with --memory or --sort memory, is
what the process says it keeps alive; "-" when it was too busy to answer.

Calls of functions are listed while they run; they have no id of their own.`,
		Example: `  wippy ps
  wippy ps worker --sort memory
  wippy ps --json --limit 10`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := interruptible()
			defer cancel()
			node, err := c.connect(ctx, cmd, f.nodeFlags)
			if err != nil {
				return err
			}
			defer node.Close()
			q := inspect.Query{Match: strings.Join(args, ""), Order: f.order, Limit: f.limit, Memory: memory || asJSON}
			list, err := node.Processes(ctx, q)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.stdout, list)
			}
			processTable(list.Processes, nil, 0).write(c.stdout, 0)
			fmt.Fprintln(c.stdout, shown(list))
			return nil
		},
	}
	f.add(cmd, inspect.ByAge, 0)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVarP(&memory, "memory", "M", false, "ask the processes for their memory")
	return cmd
}

// shown is the line below a list.
func shown(list control.Processes) string {
	if len(list.Processes) == list.Total {
		return plural(list.Total, "process", "processes")
	}
	return fmt.Sprintf("%d of %s", len(list.Processes), plural(list.Total, "process", "processes"))
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// processTable renders processes. before holds what they looked like elapsed ago, nil for the totals since they began.
func processTable(list []inspect.Process, before map[string]inspect.Process, elapsed time.Duration) *table {
	t := &table{titles: []string{"PID", "ENTRY", "STATE", ">QUEUE", ">WAITS", ">STEPS", ">TIME", ">MEMORY", ">AGE", "NAMES"}}
	if before != nil {
		t.titles[5], t.titles[6] = ">STEPS/S", ">CPU"
	}
	for _, p := range list {
		id, memory := p.PID, "-"
		if p.Kind == inspect.KindCall {
			id = "(call)"
		}
		if p.Memory != nil {
			memory = size(*p.Memory)
		}
		steps, run := count(p.Steps), span(p.RunTime)
		if before != nil {
			steps, run = rates(p, before, elapsed)
		}
		t.add(id, p.Entry, p.State, count(uint64(p.Queue)), count(uint64(p.Waits)), steps, run, memory,
			span(max(0, time.Since(p.StartedAt))), strings.Join(p.Names, " "))
	}
	return t
}

// rates is what a process did lately, by the second.
func rates(p inspect.Process, before map[string]inspect.Process, elapsed time.Duration) (steps, run string) {
	old := before[processKey(p)] // a new one has done everything since
	seconds := max(elapsed.Seconds(), 0.001)
	return count(uint64(float64(p.Steps-min(old.Steps, p.Steps)) / seconds)),
		fmt.Sprintf("%.0f%%", 100*(p.RunTime-min(old.RunTime, p.RunTime)).Seconds()/seconds)
}

// processKey tells processes apart from one look to the next.
func processKey(p inspect.Process) string {
	return p.PID + " " + p.Host + " " + p.Entry + " " + p.StartedAt.String()
}

// nodeSummary writes what the node as a whole does.
func nodeSummary(w io.Writer, n inspect.NodeInfo) {
	name := n.Name
	if name == "" {
		name = "local"
	}
	fmt.Fprintf(w, "node %s  pid %d  up %s  %s\n", name, n.PID, span(time.Since(n.StartedAt)), n.Dir)
	fmt.Fprintf(w, "%s  %d goroutines  heap %s  memory %s  %d collections\n",
		plural(n.Processes, "process", "processes"), n.Goroutines, size(n.HeapBytes), size(n.TotalBytes), n.GCCycles)
}
