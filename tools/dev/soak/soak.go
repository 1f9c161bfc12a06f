// SPDX-License-Identifier: Apache-2.0

// Package soak lets an application run for long under random load and looks for what only
// time shows: memory, goroutines, files and names that are not given back, messages that are
// lost once in a million, starts that fail after a kill.
//
// The application in app checks itself: it spawns and ends processes in every way, calls
// functions that fail, replaces code, publishes events, keeps values, and logs a VIOLATION
// when something is not as it must be. The campaign starts it with the real program, sends
// requests to its HTTP server, samples what it occupies, and ends each life with SIGKILL or
// SIGTERM in turn, after which the next must start.
package soak

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// How long a campaign and one life of the program are.
const (
	Standard     = 30 * time.Minute
	StandardLife = 5 * time.Minute
)

// Options describe a campaign.
type Options struct {
	Root     string // of the repository
	For      time.Duration
	Life     time.Duration // of the program, until it is killed
	Seed     uint64        // of the load, 0 for a new one
	Progress io.Writer
}

//go:embed all:app
var app embed.FS

// Run runs a campaign and returns its report. The error says what was violated; the report
// is there all the same.
func Run(ctx context.Context, o Options) (report string, err error) {
	if o.For <= 0 || o.Life <= 0 {
		return "", errors.New("-for and -life must be above zero")
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	dir, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "wippy")
	fmt.Fprintf(o.Progress, "seed %d; building\n", o.Seed)
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./wippy/cmd/wippy")
	build.Dir = o.Root
	build.Env = append(os.Environ(), "GOWORK=") // the workspace, whatever tests the tools alone
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	project := filepath.Join(dir, "app")
	if err := unpack(project); err != nil {
		return "", err
	}
	c := campaign{Options: o, program: program, project: project, sockets: filepath.Join(dir, "run"), random: rand.New(rand.NewPCG(o.Seed, 1))}
	if err := os.Mkdir(c.sockets, 0o700); err != nil {
		return "", err
	}
	began := time.Now()
	for n := 1; time.Since(began) < o.For && ctx.Err() == nil; n++ {
		l := c.live(ctx, n, min(o.Life, o.For-time.Since(began)))
		c.follow(l)
		c.lives = append(c.lives, l)
		fmt.Fprintln(o.Progress, l.line())
	}
	return c.report(time.Since(began)), c.verdict()
}

// follow compares the life with the one before: no change that was acknowledged may be lost.
// The last one is logged now and then only, so that the life may begin with a later one.
func (c *campaign) follow(l *life) {
	if n := len(c.lives); n > 0 && l.isReady && l.first < c.lives[n-1].generation {
		l.problem("began with reload %d, but %d was acknowledged", l.first, c.lives[n-1].generation)
	}
}

// unpack writes the application to a directory.
func unpack(dir string) error {
	return fs.WalkDir(app, "app", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, strings.TrimPrefix(path, "app"))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		data, err := app.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
}

// campaign is one run of the soak test.
type campaign struct {
	Options
	program, project, sockets string
	random                    *rand.Rand
	lives                     []*life
}

func (c *campaign) report(took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "soak of %s, seed %d, %d lives\n\n", took.Round(time.Second), c.Seed, len(c.lives))
	b.WriteString("| life | lasted | ended by | things done | reloads | requests | refused | heap MiB | goroutines | files | verdict |\n|---:|---:|---|---:|---:|---:|---:|---|---|---|---|\n")
	for _, l := range c.lives {
		fmt.Fprintf(&b, "| %d | %s | %s | %d | %d | %d | %d | %s | %s | %s | %s |\n", l.number, l.lasted.Round(time.Second), l.end, l.done, l.generation-l.first,
			l.answered, l.refused, l.trend(heap), l.trend(goroutines), l.trend(files), l.word())
	}
	return b.String()
}

func (c *campaign) verdict() error {
	var errs []error
	for _, l := range c.lives {
		for _, p := range l.problems {
			errs = append(errs, fmt.Errorf("life %d: %s", l.number, p))
		}
	}
	return errors.Join(errs...)
}
