// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Styles of a terminal.
const (
	styleReset  = "\x1b[0m"
	styleBold   = "\x1b[1m"
	styleRed    = "\x1b[31m"
	styleGreen  = "\x1b[32m"
	styleYellow = "\x1b[33m"
)

// formats are the flags of commands whose result programs may read.
type formats struct{ json, yaml bool }

func (f formats) check() error {
	if f.json && f.yaml {
		return fmt.Errorf("--json and --yaml cannot be used together")
	}
	return nil
}

// writeJSON writes an indented document and a newline. Keys of maps are sorted.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// writeYAML writes a document. Keys of maps are sorted.
func writeYAML(w io.Writer, v any) error {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// column is one column of a table: its title and how wide it may be, 0 for no bound.
type column struct {
	title string
	limit int
}

// writeTable writes a title line, a line of dashes and the rows, two spaces between the
// columns, each as wide as its content. What is longer than its column may be ends in
// "...". bold makes the titles stand out on a terminal.
func writeTable(w io.Writer, columns []column, rows [][]string, bold bool) error {
	widths := make([]int, len(columns))
	titles := make([]string, len(columns))
	dashes := make([]string, len(columns))
	cells := make([][]string, len(rows))
	for i, row := range rows {
		cells[i] = make([]string, len(columns))
		for j, text := range row {
			cells[i][j] = shorten(printable(text), columns[j].limit)
			widths[j] = max(widths[j], utf8.RuneCountInString(cells[i][j]))
		}
	}
	for j, c := range columns {
		titles[j] = c.title
		widths[j] = max(widths[j], utf8.RuneCountInString(c.title))
		dashes[j] = strings.Repeat("-", widths[j])
	}
	var b strings.Builder
	line := func(cells []string) string {
		var l strings.Builder
		for j, text := range cells {
			l.WriteString(text)
			if j < len(cells)-1 {
				l.WriteString(strings.Repeat(" ", widths[j]-utf8.RuneCountInString(text)+2))
			}
		}
		return strings.TrimRight(l.String(), " ")
	}
	head := line(titles)
	if bold {
		head = styleBold + head + styleReset
	}
	b.WriteString(head + "\n" + line(dashes) + "\n")
	for _, row := range cells {
		b.WriteString(line(row) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func shorten(text string, limit int) string {
	if limit == 0 || utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-3]) + "..."
}

// printable makes control characters visible: names and values come from files, and a
// terminal would obey them.
func printable(text string) string {
	if strings.IndexFunc(text, unicode.IsControl) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
