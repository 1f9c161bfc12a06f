// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/wippy/boot"
)

// patience is how long a shutdown may take before a person is told how to cut it
// short.
const patience = 2 * time.Second

func (c *cli) run() *cobra.Command {
	var (
		project    projectFlags
		exec, host string
	)
	cmd := &cobra.Command{
		Use:   "run [command] [arguments…]",
		Short: "Start the application in the project directory",
		Long: `Start the application in the project directory.

Without arguments all services start and the program runs until Ctrl-C. A first
Ctrl-C stops the services in order, a second one ends the program at once.

With a command name, or with -x and the id of a process entry, that one process
runs on the terminal host with the remaining arguments. Its result decides the
exit code: an error gives 1, a number is the code itself, a string is printed,
true and false are 0 and 1.

Problems in entries, Lua sources or configuration stop the start: all of them
are listed with file, line, column and field. --lenient goes on without the bad
files instead.`,
		Example: `  wippy run
  wippy run -C examples/tour -x app:tour
  wippy run -x app:cli first second
  wippy run -o app:gateway:addr=:9090 --set logger.encoding=json
  wippy run list`,
		RunE: func(_ *cobra.Command, args []string) error {
			options := project.options(c)
			if exec == "" && len(args) > 0 && args[0] == "list" {
				return c.listCommands(options)
			}
			return c.start(options, exec, host, args)
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false) // what follows the command belongs to the process
	flags.StringVarP(&exec, "exec", "x", "", "run the process entry `namespace:name` and exit")
	flags.StringVar(&host, "host", "", "terminal host `id` to run it on, when there are several")
	project.add(flags)
	return cmd
}

// start boots the runtime, runs the process if one is asked for, and waits for
// the end.
func (c *cli) start(options boot.Options, exec, host string, args []string) error {
	var target string
	if exec != "" {
		target = exec
		if err := boot.CheckExecSpec(exec); err != nil {
			return err
		}
	}
	foreground := exec != "" || len(args) > 0
	options.Quiet = foreground && !c.verbose && !c.veryVerbose && !c.console
	options.Control = true
	options.Version, _, _ = buildFacts()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	rt, err := boot.New(options)
	if err != nil {
		return err
	}
	if !foreground && !c.silent {
		version, _, _ := buildFacts()
		fmt.Fprintf(c.stderr, "%s (%s)\n", banner, version)
	}
	go func() {
		<-signals
		cancel()
		rt.Interrupt()
		slow := time.NewTimer(patience)
		defer slow.Stop()
		for {
			select {
			case <-slow.C:
				fmt.Fprintln(c.stderr, "waiting for processes to end; interrupt again to end at once")
			case <-signals:
				fmt.Fprintln(c.stderr, "force exit")
				os.Exit(1)
			}
		}
	}()
	if err := rt.Start(ctx); err != nil {
		if ctx.Err() != nil { // interrupted while starting: not an error of the application
			return nil
		}
		return err
	}
	if exec == "" && len(args) > 0 {
		if target, err = rt.Command(args[0]); err != nil {
			rt.Shutdown()
			return err
		}
		args = args[1:]
	}
	if target != "" {
		if err := rt.Exec(ctx, target, host, args); err != nil {
			rt.Shutdown()
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	c.exitCode = rt.Wait()
	return nil
}

// listCommands prints the commands the application's entries declare.
func (c *cli) listCommands(options boot.Options) error {
	commands, err := boot.Commands(options)
	if err != nil {
		return err
	}
	if len(commands) == 0 {
		fmt.Fprint(c.stdout, `No commands found.

To define a command, add 'command' to entry meta:
  meta:
    command:
      name: test
      short: Run tests
`)
		return nil
	}
	width := 0
	for _, command := range commands {
		width = max(width, len(command.Name))
	}
	fmt.Fprint(c.stdout, "Available commands:\n\n")
	for _, command := range commands {
		fmt.Fprintf(c.stdout, "  %s%s  %s  (%s)\n", command.Name, strings.Repeat(" ", width-len(command.Name)), command.Short, command.Entry)
	}
	fmt.Fprint(c.stdout, "\nRun with: wippy run <command>\n")
	return nil
}
