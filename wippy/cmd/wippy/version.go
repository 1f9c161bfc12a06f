// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// What released binaries are told at link time: -ldflags "-X main.release=v1.2.3". For others
// the Go toolchain knows.
var release, releaseCommit, releaseDate string

func (c *cli) version() *cobra.Command {
	var short, modules bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Tell version, commit and build",
		Args:  cobra.NoArgs,
		Run: func(*cobra.Command, []string) {
			version, commit, date := buildFacts()
			if short {
				fmt.Fprintln(c.stdout, version)
				return
			}
			fmt.Fprintln(c.stdout, banner)
			fmt.Fprintf(c.stdout, "  version  %s\n  commit   %s\n  built    %s\n  go       %s %s/%s\n",
				version, commit, date, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			if modules {
				fmt.Fprintln(c.stdout)
				for _, m := range builtFrom() {
					fmt.Fprintf(c.stdout, "  %-50s %s\n", m.Path, m.Version)
				}
			}
		},
	}
	cmd.Flags().BoolVar(&modules, "modules", false, "also the modules it is built from")
	cmd.Flags().BoolVar(&short, "short", false, "the version alone")
	return cmd
}

// buildFacts reads what the Go toolchain stamped into the binary.
func buildFacts() (version, commit, date string) {
	version, commit, date = release, "unknown", "unknown"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, commit, date
	}
	if version == "" {
		version = info.Main.Version
	}
	if version == "" || version == "(devel)" {
		version = "dev"
	}
	modified := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.time":
			date = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if modified {
		commit += " (modified)"
	}
	if releaseCommit != "" {
		commit, date = releaseCommit, releaseDate
	}
	return version, commit, date
}

// builtFrom lists the modules in the binary with their versions; those of a working tree have
// the version that go.mod requires.
func builtFrom() []*debug.Module {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	return info.Deps
}
