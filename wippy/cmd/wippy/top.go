// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wippyrun/kit/wippy/service/control"
	"github.com/wippyrun/kit/wippy/system/inspect"
)

// Terminal sequences: the other screen without a cursor, and back; to the top; clear to the end of the line, of the
// screen.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K\n"
	clearRest   = "\x1b[J"
)

func (c *cli) top() *cobra.Command {
	var (
		f        processFlags
		interval time.Duration
		times    int
	)
	cmd := &cobra.Command{
		Use:   "top [text]",
		Short: "Watch a running node: processes, schedulers, services",
		Long: `Watch a running node: what it does as a whole, its schedulers, the services that
do not run, and the processes that do most, until Ctrl-C.

STEPS/S and CPU are those of the last interval. With a text only the processes
whose id, entry, host or name contains it are shown.`,
		Example: `  wippy top
  wippy top worker --sort memory --interval 5s
  wippy top --times 1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if interval < 100*time.Millisecond {
				return fmt.Errorf("--interval must be 100ms at least, not %s", interval)
			}
			ctx, cancel := interruptible()
			defer cancel()
			node, err := c.connect(ctx, cmd, f.nodeFlags)
			if err != nil {
				return err
			}
			defer node.Close()
			v := view{node: node, query: inspect.Query{Order: f.order, Limit: f.limit, Memory: true}, out: c.stdout}
			if len(args) > 0 {
				v.query.Match = args[0]
			}
			return v.run(ctx, interval, times)
		},
	}
	f.add(cmd, inspect.ByTime, 20)
	cmd.Flags().DurationVarP(&interval, "interval", "d", time.Second, "`time` between two looks")
	cmd.Flags().IntVar(&times, "times", 0, "look `n` times, then end; 0 for until Ctrl-C")
	return cmd
}

// view is a node looked at again and again.
type view struct {
	node   *control.Client
	query  inspect.Query
	out    io.Writer
	before map[string]inspect.Process
	looked time.Time
}

func (v *view) run(ctx context.Context, interval time.Duration, times int) error {
	screen := false
	if f, ok := v.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && times == 0 {
		screen = true
		fmt.Fprint(v.out, enterScreen)
		defer fmt.Fprint(v.out, leaveScreen)
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for n := 1; ; n++ {
		width, height := 0, 0
		if screen {
			width, height = terminalSize(v.out)
		}
		text, err := v.look(ctx, width)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && n > 1:
			return errors.New("the node has ended")
		case err != nil:
			return err
		}
		if screen {
			paint(v.out, text, height)
		} else {
			fmt.Fprintf(v.out, "%s\n", text)
		}
		if n == times {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// terminalSize is 80 by 24 when the terminal does not tell.
func terminalSize(w io.Writer) (width, height int) {
	if f, ok := w.(*os.File); ok {
		if width, height, err := term.GetSize(int(f.Fd())); err == nil && width > 0 && height > 0 {
			return width, height
		}
	}
	return 80, 24
}

// paint writes text over what the screen shows, without clearing it first: it does not flicker.
func paint(w io.Writer, text []byte, height int) {
	lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	if len(lines) >= height {
		lines = lines[:height-1]
	}
	var b bytes.Buffer
	b.WriteString(home)
	for _, line := range lines {
		b.Write(line)
		b.WriteString(clearLine)
	}
	b.WriteString(clearRest)
	_, _ = w.Write(b.Bytes()) // nothing to do about a terminal that is gone
}

// look renders the node as it is now.
func (v *view) look(ctx context.Context, width int) ([]byte, error) {
	info, err := v.node.Info(ctx)
	if err != nil {
		return nil, err
	}
	services, err := v.node.Services(ctx)
	if err != nil {
		return nil, err
	}
	list, err := v.node.Processes(ctx, v.query)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	nodeSummary(&b, info)
	b.WriteByte('\n')
	schedulerTable(info.Schedulers).write(&b, width)
	if broken := notRunning(services); len(broken.rows) > 0 {
		b.WriteByte('\n')
		broken.write(&b, width)
	}
	b.WriteByte('\n')
	now := time.Now()
	processTable(list.Processes, v.before, now.Sub(v.looked)).write(&b, width)
	fmt.Fprintln(&b, shown(list))

	v.before, v.looked = make(map[string]inspect.Process, len(list.Processes)), now
	for _, p := range list.Processes {
		v.before[processKey(p)] = p
	}
	return b.Bytes(), nil
}

func schedulerTable(all []inspect.Scheduler) *table {
	t := &table{titles: []string{"HOST", ">WORKERS", ">BUSY", ">PROCESSES", ">QUEUE", ">EXECUTED", ">STOLEN", ">PANICS"}}
	for _, s := range all {
		t.add(s.Host, strconv.Itoa(s.Workers), strconv.Itoa(max(0, s.Workers-s.Parked)), strconv.Itoa(s.Processes),
			strconv.Itoa(s.GlobalQueue), count(s.Executed), count(s.Stolen), count(s.Panics))
	}
	return t
}

// notRunning lists the services that are not as they should be.
func notRunning(all []inspect.Service) *table {
	t := serviceTable(nil)
	for _, s := range all {
		if s.State != s.Desired {
			t.add(serviceRow(s)...)
		}
	}
	return t
}
