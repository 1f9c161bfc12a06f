// SPDX-License-Identifier: Apache-2.0

// Command consume proves that somebody outside the workspace gets what was tested:
// it packs every module as a release would, and from these zips alone builds and
// runs the README example of each primitive and installs the wippy program. It
// prints one line per problem, with the output of the command that failed, and exits
// 1 when there are any.
//
//	go run ./tools/consume [-only name,name] [-wippy=false] [-keep] [-wrong module=version] [-C dir]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/semver"

	"github.com/wippyrun/kit/tools/check/repo"
	"github.com/wippyrun/kit/tools/check/rules"
	"github.com/wippyrun/kit/tools/consume/trial"
	"github.com/wippyrun/kit/tools/pack"
)

// program is the module that is installed instead of imported.
const program = "wippy"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options are the flags.
type options struct {
	targets []string
	keep    bool
	dir     string
	wrong   map[string]string // requirements to falsify: module path to version
}

func parseFlags(args []string, stderr io.Writer) (options, error) {
	flags := flag.NewFlagSet("consume", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "comma-separated `names` of primitives, or "+program+", to try instead of all")
	wippy := flags.Bool("wippy", true, "install and run the "+program+" program")
	keep := flags.Bool("keep", false, "keep the proxy and the scratch modules, and say where they are")
	wrong := flags.String("wrong", "", "make siblings require `module=version`, to see the trial fail")
	dir := flags.String("C", ".", "a `directory` inside the repository")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	o := options{keep: *keep, dir: *dir}
	all := append([]string{program}, rules.Primitives()...) // the slowest first
	names := all
	if *only != "" {
		names = strings.Split(*only, ",")
	}
	for _, name := range names {
		if !slices.Contains(all, name) {
			return o, fmt.Errorf("nothing to try is named %s; there are %s", name, strings.Join(all, ", "))
		}
	}
	for _, name := range all {
		if slices.Contains(names, name) && (*wippy || name != program) {
			o.targets = append(o.targets, name)
		}
	}
	if len(o.targets) == 0 {
		return o, errors.New("nothing to try")
	}
	if *wrong != "" {
		name, version, _ := strings.Cut(*wrong, "=")
		if !semver.IsValid(version) {
			return o, fmt.Errorf("-wrong %s: want module=vX.Y.Z", *wrong)
		}
		o.wrong = map[string]string{rules.ModulePath(name): version}
	}
	return o, nil
}

// run is main with its surroundings as parameters. It returns the exit code: 0
// when all is well, 1 when there are problems, 2 when nothing could be tried.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "consume:", err)
		return 2
	}
	problems, err := consume(ctx, o, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "consume:", err)
		return 2
	}
	if problems > 0 {
		fmt.Fprintf(stderr, "consume: %d of %d failed\n", problems, len(o.targets))
		return 1
	}
	return 0
}

// consume packs the workspace and makes the trials, as many at a time as there are
// processors. It returns the number of those that failed.
func consume(ctx context.Context, o options, stdout, stderr io.Writer) (problems int, err error) {
	root, err := repo.Find(o.dir)
	if err != nil {
		return 0, err
	}
	rp, err := repo.Load(root)
	if err != nil {
		return 0, err
	}
	for path := range o.wrong {
		if !required(rp, path) {
			return 0, fmt.Errorf("-wrong: no module requires %s", path)
		}
	}
	temp, err := os.MkdirTemp("", "consume-")
	if err != nil {
		return 0, err
	}
	defer func() {
		if o.keep {
			fmt.Fprintln(stderr, "consume: kept", temp)
			return
		}
		err = errors.Join(err, os.RemoveAll(temp))
	}()
	proxy := filepath.Join(temp, "proxy")
	start := time.Now()
	modules, err := pack.Proxy(ctx, rp, proxy, pack.Options{Commands: []string{rules.ModulePath(program)}, Require: o.wrong})
	if err != nil {
		return 0, err
	}
	report(stderr, "pack", start, fmt.Sprint(len(modules), " modules"))
	site, err := trial.NewSite(ctx, rp, filepath.Join(temp, "site"), proxy, modules)
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex // guards the streams and problems
	var wg sync.WaitGroup
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, name := range o.targets {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			start := time.Now()
			err := try(ctx, site, name)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				report(stderr, name, start, "ok")
				return
			}
			problems++
			report(stderr, name, start, "failed")
			explain(stdout, err)
		})
	}
	wg.Wait()
	return problems, ctx.Err()
}

func try(ctx context.Context, site *trial.Site, name string) error {
	if name == program {
		return site.Command(ctx, program, "cmd/wippy", "version")
	}
	return site.Library(ctx, name)
}

// required reports whether any module of the workspace requires a path.
func required(rp *repo.Repo, path string) bool {
	for _, m := range rp.Modules {
		for _, r := range m.Mod.Require {
			if r.Mod.Path == path {
				return true
			}
		}
	}
	return false
}

func report(w io.Writer, what string, start time.Time, verdict string) {
	fmt.Fprintf(w, "consume: %-10s %6dms  %s\n", what, time.Since(start).Milliseconds(), verdict)
}

// explain prints a problem as one line and, indented, what more there is to say: the
// rest of the error, and the output of the command that failed without what go
// commands tell about their progress.
func explain(w io.Writer, err error) {
	text := err.Error()
	if f, ok := errors.AsType[*trial.Failure](err); ok {
		text += "\n" + f.Output
	}
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case i == 0:
			fmt.Fprintln(w, line)
		case !strings.HasPrefix(line, "go: downloading "):
			fmt.Fprintln(w, "\t"+line)
		}
	}
}
