// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// check says everything that keeps the versions from being released.
func check(ctx context.Context, e environment, args []string) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.SetOutput(e.stderr)
	strict := flags.Bool("strict", false, "ask for a section of the version in every changelog, as tag does")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	return e.check(ctx, *strict)
}

func (e environment) check(ctx context.Context, strict bool) error {
	err := checkVersions(e.repo, e.versions, e.changelog, strict)
	changes, apiErr := e.changes(ctx)
	err = errors.Join(err, apiErr)
	for _, c := range changes {
		if problem := c.problem(); problem != "" {
			err = errors.Join(err, errors.New(problem))
		}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%d modules, versions and changelogs agree\n", len(e.versions))
	return nil
}

func (e environment) changelog(dir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(e.repo.Root, filepath.FromSlash(dir), "CHANGELOG.md"))
	return string(data), err
}
