// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wippyrun/kit/luart/lint"
	"github.com/wippyrun/kit/wippy/boot"
)

// linting is what the command was asked for.
type linting struct {
	flags                       projectFlags
	level                       string
	namespaces, codes           []string
	limit                       int
	json, summary, plain, rules bool
	cacheReset                  bool
}

func (c *cli) lint() *cobra.Command {
	var l linting
	cmd := &cobra.Command{
		Use:   "lint",
		Short: "Check entries and Lua sources without running them",
		Long: `Check the entries of the project and their Lua sources, without running them.

  P0001         a source does not parse
  E0000…E0019   values, calls and operands that contradict declared types
  E0001         require or use of a module that the entry does not declare
  R0001…R0008   imports, modules, fields, references and kinds that do not exist
                or cannot be
  W0001…W0010   with --rules: empty blocks, globals, self comparisons, unused
                variables, parameters, modules and imports, shadowing

Errors make the exit code 1, warnings and hints do not.`,
		Example: `  wippy lint
  wippy lint --rules --level hint --ns "app.**"
  wippy lint --code W0004,W0006 --rules --summary
  wippy lint --json > lint.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if l.limit < 0 {
				return fmt.Errorf("invalid --limit %d: must not be negative", l.limit)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return c.runLint(ctx, l)
		},
	}
	f := cmd.Flags()
	f.StringVar(&l.level, "level", "warning", "the lowest `severity` to show: error, warning or hint")
	f.StringSliceVar(&l.namespaces, "ns", nil, "report about these `namespaces` only: a.b, or a.b.** with all below")
	f.StringSliceVar(&l.codes, "code", nil, "report these `codes` only")
	f.IntVar(&l.limit, "limit", 0, "show at most `n` findings (0 for all); the counts stay complete")
	f.BoolVar(&l.rules, "rules", false, "also report what is legal and probably not meant")
	f.BoolVar(&l.summary, "summary", false, "count by namespace and by code instead of listing")
	f.BoolVar(&l.json, "json", false, "print JSON, on one line")
	f.BoolVar(&l.plain, "no-color", false, "no colours")
	f.BoolVar(&l.cacheReset, "cache-reset", false, "delete the cache of compiled sources first")
	l.flags.add(f)
	return cmd
}

func (c *cli) runLint(ctx context.Context, l linting) error {
	options, err := l.flags.options(c)
	if err != nil {
		return err
	}
	if l.cacheReset {
		if err := boot.ResetCache(options); err != nil {
			return err
		}
	}
	progress, clear := c.progress()
	report, err := boot.Lint(ctx, options, boot.LintOptions{Namespaces: l.namespaces, Rules: l.rules, Progress: progress})
	clear()
	if err != nil {
		return err
	}
	result := l.choose(report)
	switch {
	case l.json:
		err = result.writeJSON(c.stdout)
	case l.summary:
		_, err = io.WriteString(c.stdout, result.summary())
	default:
		_, err = io.WriteString(c.stdout, result.text(!l.plain && (c.console || isTerminal(c.stdout))))
	}
	if err == nil && result.errors > 0 {
		err = fmt.Errorf("lint failed: %d errors, %d warnings", result.errors, result.warnings)
	}
	return err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progress returns what shows a person how far the check is, and what takes it away.
func (c *cli) progress() (show func(done, all int), clear func()) {
	if c.silent || !isTerminal(c.stderr) {
		return nil, func() {}
	}
	last := -1
	return func(done, all int) {
			if step := done * 10 / all; step != last {
				last = step
				fmt.Fprintf(c.stderr, "\rLinting... %d%%", step*10)
			}
		}, func() {
			if last >= 0 {
				fmt.Fprintf(c.stderr, "\r%s\r", strings.Repeat(" ", len("Linting... 100%")))
			}
		}
}

// linted is what is to be shown.
type linted struct {
	entries                 int
	shown                   []lint.Diagnostic // up to the limit
	counted                 []lint.Diagnostic
	errors, warnings, hints int
}

// choose keeps what the flags ask for.
func (l linting) choose(report *boot.LintReport) linted {
	level := lint.ParseSeverity(l.level)
	r := linted{entries: report.Entries}
	for _, d := range report.Diagnostics {
		if d.Severity < level || len(l.codes) > 0 && !slices.ContainsFunc(l.codes, func(code string) bool { return strings.EqualFold(strings.TrimSpace(code), d.Code) }) {
			continue
		}
		r.counted = append(r.counted, d)
		switch d.Severity {
		case lint.Error:
			r.errors++
		case lint.Warning:
			r.warnings++
		default:
			r.hints++
		}
	}
	r.shown = r.counted
	if l.limit > 0 {
		r.shown = r.shown[:min(l.limit, len(r.shown))]
	}
	return r
}

// jsonDiagnostic is a finding for programs.
type jsonDiagnostic struct {
	Entry    string `json:"entry_id"`
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	File     string `json:"file,omitempty"`
}

func (r linted) writeJSON(w io.Writer) error {
	var list []jsonDiagnostic // null when there are none
	for _, d := range r.shown {
		list = append(list, jsonDiagnostic{d.Entry, d.Code, d.Severity.String(), d.Message, d.Line, d.Column, d.File})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		Diagnostics []jsonDiagnostic `json:"diagnostics"`
		Entries     int              `json:"total_entries"`
		Errors      int              `json:"error_count"`
		Warnings    int              `json:"warning_count"`
		Hints       int              `json:"hint_count"`
	}{list, r.entries, r.errors, r.warnings, r.hints})
	if err == nil {
		_, err = w.Write(b.Bytes())
	}
	return err
}

// text is a block for each finding and a last line.
func (r linted) text(color bool) string {
	if len(r.counted) == 0 {
		return fmt.Sprintf("No issues found\nChecked %d entries\n", r.entries)
	}
	var b strings.Builder
	for _, d := range r.shown {
		b.WriteString(d.Render(color) + "\n\n")
	}
	return b.String() + r.lastLine()
}

func (r linted) lastLine() string {
	return fmt.Sprintf("Checked %d entries%s\n", r.entries, prefixed(": ", counts(r.errors, r.warnings, r.hints)))
}

// counts names the counts that are not zero.
func counts(errors, warnings, hints int) string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{errors, "errors"}, {warnings, "warnings"}, {hints, "hints"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// summary counts by namespace and by code.
func (r linted) summary() string {
	if len(r.counted) == 0 {
		return r.text(false)
	}
	type count struct {
		name                    string
		severity                lint.Severity
		errors, warnings, hints int
	}
	all := func(c count) int { return c.errors + c.warnings + c.hints }
	group := func(key func(lint.Diagnostic) (string, lint.Severity)) []count {
		byName := map[string]*count{}
		for _, d := range r.counted {
			name, severity := key(d)
			c := byName[name]
			if c == nil {
				c = &count{name: name, severity: severity}
				byName[name] = c
			}
			switch d.Severity {
			case lint.Error:
				c.errors++
			case lint.Warning:
				c.warnings++
			default:
				c.hints++
			}
		}
		var out []count
		for _, c := range byName {
			out = append(out, *c)
		}
		slices.SortFunc(out, func(a, b count) int { return cmp.Or(cmp.Compare(all(b), all(a)), strings.Compare(a.name, b.name)) })
		return out
	}
	var b strings.Builder
	b.WriteString("\nBy namespace:\n\n")
	for _, c := range group(func(d lint.Diagnostic) (string, lint.Severity) {
		ns, _, _ := strings.Cut(d.Entry, ":")
		return cmp.Or(ns, "unknown"), 0
	}) {
		fmt.Fprintf(&b, "  %-30s %d issues (%s)\n", printable(c.name), all(c), counts(c.errors, c.warnings, c.hints))
	}
	b.WriteString("\nBy error code:\n\n")
	for _, c := range group(func(d lint.Diagnostic) (string, lint.Severity) { return d.Code, d.Severity }) {
		fmt.Fprintf(&b, "  %-8s [%-7s] %4d occurrences\n", c.name, c.severity, all(c))
	}
	return b.String() + "\n" + r.lastLine()
}
