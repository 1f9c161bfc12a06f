// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/wippy/boot"
	"github.com/wippyrun/kit/wippy/service/otel/export"
)

// patience is how long a shutdown may take before a person is told how to cut it
// short.
const patience = 2 * time.Second

// resetPatience is how long an end at once waits for the terminal.
const resetPatience = time.Second

// foreground says which process is to run on the terminal, if any. At most one of the
// fields id, command and test is set.
type foreground struct {
	id      string // of an entry
	command string // name of a command
	test    bool   // the tests of the application
	host    string
	args    []string
}

func (f foreground) any() bool { return f.id != "" || f.command != "" || f.test }

func (c *cli) run() *cobra.Command {
	var (
		project projectFlags
		front   foreground
		asJSON  bool
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
true and false are 0 and 1. Flags stand before the command; what follows it
belongs to the process.

A command is a process entry that says so: meta: {command: {name: sum, short:
Add numbers}}. "wippy run list" shows them.

Problems in entries, Lua sources or configuration stop the start: all of them
are listed with file, line, column and field. --lenient goes on without the bad
files instead.`,
		Example: `  wippy run
  wippy run list
  wippy run sum 1 2 3
  wippy run -C examples/tour -x app:tour
  wippy run -x app:cli first second
  wippy run -o app:gateway:addr=:9090 --set logger.encoding=json
  wippy run --profile dev --config .wippy.yaml --config local.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if front.id == "" && len(args) > 0 && args[0] == "list" {
				// The flags of the listing may stand behind the word, too.
				cmd.Flags().SetInterspersed(true)
				if err := cmd.Flags().Parse(args[1:]); err != nil {
					return unknownFlag(cmd, err)
				}
				if rest := cmd.Flags().Args(); len(rest) > 0 {
					return withHint(fmt.Errorf("unexpected argument %q", rest[0]), "usage: wippy run list [flags]")
				}
				if err := c.checkDir(); err != nil {
					return err
				}
				options, err := project.options(c)
				if err != nil {
					return err
				}
				return c.listCommands(options, asJSON)
			}
			if asJSON {
				return errors.New("--json belongs to wippy run list")
			}
			options, err := project.options(c)
			if err != nil {
				return err
			}
			front.args = args
			if front.id == "" && len(args) > 0 {
				if err := refuseTarget(args[0]); err != nil {
					return err
				}
				front.command, front.args = args[0], args[1:]
			}
			return c.start(options, front)
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false) // what follows the command belongs to the process
	flags.StringVarP(&front.id, "exec", "x", "", "run the process entry `namespace:name` and exit")
	flags.StringVar(&front.host, "host", "", "terminal host `id` to run it on, when there are several")
	flags.BoolVar(&asJSON, "json", false, "with list: print a JSON array")
	project.add(flags)
	acceptRegistry(flags)
	return cmd
}

// moduleTarget is the name of a module with or without a version.
var moduleTarget = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*(@\S+)?$`)

// refuseTarget explains that what was named is no command but something that has to be
// unpacked first.
func refuseTarget(target string) error {
	if strings.HasSuffix(target, ".wapp") {
		return withHint(fmt.Errorf("%s: packs cannot be run", target), "unpack the module below the modules directory and name it in wippy.lock")
	}
	if moduleTarget.MatchString(target) {
		if _, err := os.Stat(target); err != nil {
			return withHint(fmt.Errorf("%s: modules are not fetched", target), "put the module below the modules directory and name it in wippy.lock")
		}
	}
	return nil
}

// start boots the runtime, runs the process if one is asked for, and waits for
// the end.
func (c *cli) start(options boot.Options, front foreground) error {
	if front.id != "" {
		if err := boot.CheckExecSpec(front.id); err != nil {
			return err
		}
	}
	options.Control = true
	options.Version, _, _ = buildFacts()
	options.Quiet = front.any() && !c.verbose && !c.veryVerbose && !c.console
	options.Control = true
	options.Telemetry = export.Start
	options.Version, _, _ = buildFacts()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	options.Control = true
	options.Version, _, _ = buildFacts()
	rt, err := boot.New(options)
	if err != nil {
		return err
	}
	if !front.any() && !c.silent {
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
				restored := make(chan struct{})
				go func() {
					_ = rt.ResetTerminal()
					close(restored)
				}()
				select {
				case <-restored:
				case <-time.After(resetPatience): // the terminal takes no output
				}
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
	if front.any() {
		id, args, err := front.resolve(rt)
		if err == nil {
			err = rt.Exec(ctx, id, front.host, args)
		}
		if err != nil {
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

// resolve finds the entry to run and its arguments.
func (f foreground) resolve(rt *boot.Runtime) (id string, args []string, err error) {
	switch {
	case f.id != "":
		return f.id, f.args, nil
	case f.command != "":
		id, err := rt.Command(f.command)
		return id, f.args, err
	}
	name := ""
	if len(f.args) > 0 {
		name = f.args[0]
	}
	id, named, err := rt.Test(name)
	if named {
		return id, f.args[1:], err
	}
	return id, f.args, err
}

// listedCommand is a command as lists show it.
type listedCommand struct {
	Name  string `json:"name"`
	Short string `json:"short,omitempty"`
	Entry string `json:"entry_id"`
}

// listCommands prints the commands the application's entries declare.
func (c *cli) listCommands(options boot.Options, asJSON bool) error {
	all, err := boot.Commands(options)
	if err != nil {
		return err
	}
	commands := []listedCommand{}
	for _, command := range all {
		if command.UseCase == boot.UseRun {
			commands = append(commands, listedCommand{command.Name, command.Short, command.Entry.String()})
		}
	}
	if asJSON {
		return writeJSON(c.stdout, commands)
	}
	if len(commands) == 0 {
		_, err := fmt.Fprint(c.stdout, `No commands found.

To define a command, add 'command' to entry meta:
  meta:
    command:
      name: test
      short: Run tests
`)
		return err
	}
	width := 0
	for _, command := range commands {
		width = max(width, len(command.Name))
	}
	var b strings.Builder
	b.WriteString("Available commands:\n\n")
	for _, command := range commands {
		fmt.Fprintf(&b, "  %-*s  %s  (%s)\n", width, printable(command.Name), printable(command.Short), printable(command.Entry))
	}
	b.WriteString("\nRun with: wippy run <command>\n")
	_, err = fmt.Fprint(c.stdout, b.String())
	return err
}
