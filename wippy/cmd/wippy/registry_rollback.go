// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wippyrun/kit/wippy/boot"
)

// rollback is what the command was asked to do.
type rollback struct {
	flags       projectFlags
	dryRun, yes bool
	json        bool
}

func (c *cli) registryRollback() *cobra.Command {
	var r rollback
	cmd := &cobra.Command{
		Use:   "rollback [version]",
		Short: "Make another version the present one",
		Long: `Make another stored version, older or newer, the one the application starts
with. What changes is shown first, and done when you agree. Nothing is lost: the
versions that are left stay in the history and can be gone back to.

A project on which a runtime is running is refused; an application can go to
another version of itself with registry.apply_version.`,
		Example: `  wippy registry rollback v2 --dry-run
  wippy registry rollback v2
  wippy registry rollback v0 --yes`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return withHint(fmt.Errorf("unexpected argument %q", args[1]), "usage: "+cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rollback(cmd.Context(), r, strings.Join(args, ""))
		},
	}
	f := cmd.Flags()
	f.BoolVar(&r.dryRun, "dry-run", false, "show what would change and change nothing")
	f.BoolVarP(&r.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&r.json, "json", false, "print JSON")
	r.flags.add(f)
	return cmd
}

// rolledBack is the result for programs.
type rolledBack struct {
	difference
	Applied bool `json:"applied"`
}

func (c *cli) rollback(ctx context.Context, r rollback, version string) (err error) {
	options, err := r.flags.options(c)
	if err != nil {
		return err
	}
	p, err := boot.Inspect(ctx, options)
	if err != nil {
		return err
	}
	// A dry run disturbs nobody and needs nobody to be away.
	v, err := p.Versions(ctx, !r.dryRun)
	if err != nil {
		return err
	}
	defer func() {
		if e := v.Close(); err == nil {
			err = e
		}
	}()
	answers := bufio.NewReader(c.stdin)
	if version == "" {
		if version, err = c.askVersion(ctx, v, answers); err != nil {
			return err
		}
	}
	target, err := parseVersion(v, version)
	if err != nil {
		return err
	}
	from := v.Current()
	d, err := v.Diff(from, target)
	if err != nil {
		return err
	}
	result := rolledBack{difference: jsonDifference(d)}
	if r.json {
		if !r.dryRun && !r.yes {
			return errors.New("--json needs --yes or --dry-run")
		}
	} else if err := c.writeDifference(c.stdout, d); err != nil {
		return err
	}
	if target.ID != from.ID && !r.dryRun {
		if !r.yes {
			if ok, err := c.agree(answers, fmt.Sprintf("Go from %v to %v? [y/N] ", from, target)); err != nil || !ok {
				return err
			}
		}
		if err := v.ApplyVersion(ctx, target); err != nil {
			return err
		}
		result.Applied = true
	}
	switch {
	case r.json:
		return writeJSON(c.stdout, result)
	case result.Applied:
		fmt.Fprintf(c.stdout, "now at %v\n", target)
	case target.ID == from.ID:
		fmt.Fprintf(c.stdout, "already at %v\n", target)
	}
	return nil
}

// askVersion shows the versions and asks for one.
func (c *cli) askVersion(ctx context.Context, v *boot.Versions, answers *bufio.Reader) (string, error) {
	list, err := versionsOf(ctx, v, 0)
	if err != nil {
		return "", err
	}
	if err := c.writeHistory(c.stderr, list); err != nil {
		return "", err
	}
	fmt.Fprint(c.stderr, "\nVersion: ")
	answer, err := readLine(answers)
	if err == nil && answer == "" {
		err = io.EOF
	}
	if err != nil {
		fmt.Fprintln(c.stderr)
		return "", withHint(errors.New("a version is required"), "usage: wippy registry rollback <version>")
	}
	return answer, nil
}

// agree asks a yes-or-no question. Somebody who cannot be asked has to say so before.
func (c *cli) agree(answers *bufio.Reader, question string) (bool, error) {
	fmt.Fprint(c.stderr, question)
	answer, err := readLine(answers)
	if err != nil {
		fmt.Fprintln(c.stderr)
		return false, withHint(errors.New("not confirmed, nothing was changed"), "use --yes where nobody can answer")
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return true, nil
	}
	fmt.Fprintln(c.stderr, "nothing was changed")
	return false, nil
}

// readLine reads one line; a last one without a newline counts.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err == io.EOF && line != "" {
		err = nil
	}
	return strings.TrimSpace(line), err
}
