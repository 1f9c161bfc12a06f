// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wippyrun/kit/wippy/boot"
	"github.com/wippyrun/kit/wippy/system/suggest"
)

// cli holds the streams and the global flags of one run of the program.
type cli struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	exitCode       int

	dir         string
	configFiles []string
	verbose     bool
	veryVerbose bool
	console     bool
	silent      bool
	streams     bool
	profiler    bool
	memory      string
}

const banner = `wippy - actors, entries and Lua in one runtime`

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "wippy",
		Short: "Run applications made of YAML entries and Lua processes",
		Long: banner + `

An application is a directory: entries in src/**/*.yaml say what there is
(processes, functions, hosts, services), Lua files say what it does.

  wippy init             write wippy.lock in this directory
  wippy run              start the application and its services, until Ctrl-C
  wippy run -x app:main  run the process app:main on the terminal and exit
  wippy run list         show the commands an application offers
  wippy test             run its tests
  wippy lint             check its entries and Lua sources without running them
  wippy registry list    show its entries`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          c.unknownCommand,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			debug.SetMemoryLimit(memoryLimit(c.memory))
			return c.checkDir()
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&c.dir, "directory", "C", ".", "work in the project `directory`")
	flags.StringArrayVar(&c.configFiles, "config", nil, "configuration `file`, repeatable (default .wippy.yaml when it exists)")
	flags.BoolVarP(&c.verbose, "verbose", "v", false, "debug logs")
	flags.BoolVar(&c.veryVerbose, "very-verbose", false, "debug logs with stack traces")
	flags.BoolVarP(&c.console, "console", "c", false, "coloured console logs")
	flags.BoolVarP(&c.silent, "silent", "s", false, "no logs at all")
	flags.BoolVarP(&c.streams, "event-streams", "e", false, "also send log records to the event bus")
	flags.BoolVarP(&c.profiler, "profiler", "p", false, "serve pprof on localhost:6060")
	flags.StringVarP(&c.memory, "memory-limit", "m", "", "soft memory limit of `size`, such as 512M or 2G (default GOMEMLIMIT, else 1G)")
	root.AddCommand(
		c.run(), c.test(), c.lint(), c.registry(), c.init(), c.version(), c.boot(),
		c.ps(), c.top(), c.services(), c.events(),
	)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(unknownFlag)
	return root
}

// checkDir refuses a project directory that is none.
func (c *cli) checkDir() error {
	if info, err := os.Stat(c.dir); err != nil || !info.IsDir() {
		return fmt.Errorf("project directory %s does not exist", c.dir)
	}
	return nil
}

// unknownCommand refuses arguments of the program itself, with a guess.
func (c *cli) unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	return withHint(fmt.Errorf("unknown command %q", args[0]), suggest.Hint(args[0], names), "run `wippy --help` for a list")
}

// unknownFlag adds a guess to the complaint about a flag.
func unknownFlag(cmd *cobra.Command, err error) error {
	given, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return withHint(err, "", fmt.Sprintf("run `%s --help` for a list", cmd.CommandPath()))
	}
	var names []string
	add := func(f *pflag.Flag) { names = append(names, f.Name) }
	cmd.Flags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	hint := ""
	if name, ok := suggest.Closest(given, names); ok {
		hint = "did you mean --" + name + "?"
	}
	return withHint(err, hint, fmt.Sprintf("run `%s --help` for a list", cmd.CommandPath()))
}

// withHint adds the first hint there is.
func withHint(err error, hints ...string) error {
	for _, h := range hints {
		if h != "" {
			return fmt.Errorf("%w\n  hint: %s", err, h)
		}
	}
	return err
}

// options are the boot options all commands share.
func (c *cli) options() boot.Options {
	return boot.Options{
		Dir:          c.dir,
		ConfigFiles:  c.configFiles,
		Verbose:      c.verbose,
		VeryVerbose:  c.veryVerbose,
		Console:      c.console,
		Silent:       c.silent,
		EventStreams: c.streams,
		Profiler:     c.profiler,
		Stdin:        c.stdin,
		Stdout:       c.stdout,
		Stderr:       c.stderr,
	}
}

// memoryLimit resolves -m over GOMEMLIMIT over 1 GiB. Text that is no size is
// ignored.
func memoryLimit(text string) int64 {
	if n, ok := parseSize(text); ok {
		return n
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		return debug.SetMemoryLimit(-1)
	}
	return 1 << 30
}

func parseSize(text string) (int64, bool) {
	text = strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(text)), "B")
	shift := 0
	if i := strings.IndexAny(text, "KMGT"); i >= 0 && i == len(text)-1 {
		shift = 10 * (1 + strings.IndexByte("KMGT", text[i]))
		text = text[:i]
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64>>shift {
		return 0, false
	}
	return n << shift, true
}
