// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/wippy/service/control"
)

// nodeFlags choose one of the nodes that run.
type nodeFlags struct{ pid int }

func (f *nodeFlags) add(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.pid, "pid", 0, "the node with the process `id`, whatever project it runs")
}

// connect finds the node: that of the project directory or, when no directory was given, the only one there is.
func (c *cli) connect(ctx context.Context, cmd *cobra.Command, f nodeFlags) (*control.Client, error) {
	all, err := control.Find(ctx, control.Dir())
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(c.dir)
	if err != nil {
		return nil, err
	}
	var fit []*control.Client
	for _, node := range all {
		if f.pid == node.Node.PID || f.pid == 0 && same(dir, node.Node.Dir) {
			fit = append(fit, node)
		}
	}
	if len(fit) == 0 && f.pid == 0 && !cmd.Flags().Changed("directory") && len(all) == 1 {
		fit = all
	}
	for _, node := range all {
		if len(fit) != 1 || node != fit[0] {
			node.Close()
		}
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		return nil, withHint(fmt.Errorf("%d nodes run this project:\n%s", len(fit), nodeList(fit)), "choose one with --pid")
	case len(all) == 0:
		return nil, withHint(errors.New("no node runs"), "start one with `wippy run`")
	case f.pid != 0:
		return nil, withHint(fmt.Errorf("no node has the process id %d; there are:\n%s", f.pid, nodeList(all)), "choose one with --pid")
	}
	return nil, withHint(fmt.Errorf("no node runs %s; there are:\n%s", dir, nodeList(all)), "choose one with -C or --pid")
}

// same tells whether two names are of one directory.
func same(a, b string) bool {
	if a == b {
		return true
	}
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

func nodeList(nodes []*control.Client) string {
	var b strings.Builder
	for i, n := range nodes {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "  --pid %-8d %s", n.Node.PID, n.Node.Dir)
	}
	return b.String()
}

// interruptible returns a context that ends with Ctrl-C.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// table writes rows below a header, columns aligned; those whose title begins with ">" to the right.
type table struct {
	titles []string
	rows   [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write writes the table, its lines cut at width, 0 for never.
func (t *table) write(w io.Writer, width int) {
	widths := make([]int, len(t.titles))
	right := make([]bool, len(t.titles))
	titles := make([]string, len(t.titles))
	for i, title := range t.titles {
		titles[i], right[i] = strings.CutPrefix(title, ">")
		widths[i] = len(titles[i])
	}
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range append([][]string{titles}, t.rows...) {
		var b strings.Builder
		for i, cell := range row {
			if i > 0 {
				b.WriteString("  ")
			}
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if right[i] {
				b.WriteString(pad + cell)
			} else {
				b.WriteString(cell + pad)
			}
		}
		line := []rune(strings.TrimRight(b.String(), " "))
		if width > 0 && len(line) > width {
			line = append(line[:width-1], '…')
		}
		fmt.Fprintln(w, string(line))
	}
}

// size prints bytes with a unit, three digits.
func size(n uint64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%dB", n)
	}
	f, u := float64(n)/1024, 0
	for f >= 999.5 && u < len(units)-1 {
		f /= 1024
		u++
	}
	if f < 9.95 {
		return fmt.Sprintf("%.1f%c", f, units[u])
	}
	return fmt.Sprintf("%.0f%c", f, units[u])
}

// count prints a number so that it fits a column.
func count(n uint64) string {
	switch {
	case n < 100_000:
		return fmt.Sprint(n)
	case n < 10_000_000:
		return fmt.Sprintf("%dk", n/1000)
	case n < 10_000_000_000:
		return fmt.Sprintf("%dM", n/1_000_000)
	}
	return fmt.Sprintf("%dG", n/1_000_000_000)
}

// span prints a duration with its two largest units.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}
