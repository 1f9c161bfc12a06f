// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// cover prints how much of each module its own tests reach, counting what one package of a
// module tests of another.
func cover(ctx context.Context, e environment, args []string) error {
	flags := flag.NewFlagSet("cover", flag.ContinueOnError)
	flags.SetOutput(e.stderr)
	out := flags.String("o", "", "keep the profiles in this `directory`")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	dir := *out
	if dir == "" {
		temp, err := os.MkdirTemp("", "cover-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temp)
		dir = temp
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	wanted := flags.Args()
	fmt.Fprintf(e.stdout, "%-16s %s\n", "module", "statements reached")
	for _, m := range e.repo.Modules {
		if len(wanted) > 0 && !strings.Contains(" "+strings.Join(wanted, " ")+" ", " "+m.Dir+" ") || len(wanted) == 0 && m.Dir == "benchmarks" {
			continue
		}
		profile, err := filepath.Abs(filepath.Join(dir, strings.ReplaceAll(m.Dir, "/", "-")+".cover"))
		if err != nil {
			return err
		}
		test := exec.CommandContext(ctx, "go", "test", "-coverpkg=./...", "-coverprofile="+profile, "./...")
		test.Dir = filepath.Join(e.repo.Root, m.Dir)
		if text, err := test.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", m.Dir, err, text)
		}
		tool := exec.CommandContext(ctx, "go", "tool", "cover", "-func="+profile)
		tool.Dir = test.Dir
		text, err := tool.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", m.Dir, err, text)
		}
		fields := strings.Fields(string(text)) // the last line is the total
		fmt.Fprintf(e.stdout, "%-16s %s\n", m.Dir, fields[len(fields)-1])
	}
	return nil
}
