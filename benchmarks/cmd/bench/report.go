// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/bars"
	"github.com/wippyrun/kit/benchmarks/internal/machine"
	"github.com/wippyrun/kit/benchmarks/internal/results"
)

// report is everything that was measured.
type report struct {
	machine     machine.Info
	programs    []machine.Program
	began       time.Time
	took        time.Duration
	passes      int
	time        string
	best        bool
	set         *results.Set
	rows        []judged
	reached     int
	notMeasured int
}

// judged is a row with what became of it.
type judged struct {
	bars.Row
	bars.Outcome
	known bool
}

func (r *report) add(row bars.Row) {
	o, known := row.Judge(r.set, r.best)
	r.rows = append(r.rows, judged{row, o, known})
	switch {
	case !known:
		r.notMeasured++
	case o.OK:
		r.reached++
	}
}

// missing names the rows that a benchmark should have measured and did not.
func (r *report) missing() error {
	var errs []error
	for _, j := range r.rows {
		long := slices.ContainsFunc(j.Runs, func(run bars.Run) bool { return run.Long })
		if !j.known && !long && !strings.Contains(j.Note, "of erlang") { // which may be absent
			errs = append(errs, fmt.Errorf("row %s: %s", j.ID, j.Note))
		}
	}
	return errors.Join(errs...)
}

// verdict is a word for the table.
func (j judged) verdict() string {
	switch {
	case !j.known:
		return "not measured"
	case j.OK:
		return "reached"
	}
	return "**missed**"
}

// json prints one object for each row.
func (r *report) json(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	_, absent := r.present()
	for _, j := range r.rows {
		row := struct {
			ID    string             `json:"id"`
			What  string             `json:"what"`
			Bar   string             `json:"bar"`
			Value *float64           `json:"value"` // null when it was not measured
			Unit  string             `json:"unit"`
			Peers map[string]float64 `json:"peers"`
			OK    bool               `json:"ok"`
			Note  string             `json:"note,omitempty"`
			// Absent are the programs that did not take part because the machine has none.
			Absent []string `json:"absent,omitempty"`
		}{ID: j.ID, What: j.What, Bar: j.Bar, Unit: j.Unit, Peers: map[string]float64{}, OK: j.known && j.OK, Note: j.Note, Absent: absent}
		if j.known {
			row.Value = &j.Value
		}
		for _, p := range j.Peers {
			row.Peers[p.Name] = p.Value
		}
		if err := out.Encode(row); err != nil {
			return err
		}
	}
	return nil
}

// bars renders the table of all rows.
func (r *report) bars() string {
	var b strings.Builder
	b.WriteString("| | what | bar | measured | peers | verdict | |\n|---|---|---|---:|---|---|---|\n")
	for _, j := range r.rows {
		value := "–"
		if j.known {
			value = results.Number(j.Value) + " " + j.Unit
		}
		var peers []string
		for _, p := range j.Peers {
			peers = append(peers, p.Name+" "+results.Number(p.Value))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", j.ID, j.What, j.Bar, value, strings.Join(peers, ", "), j.verdict(), j.Note)
	}
	if _, absent := r.present(); len(absent) > 0 {
		fmt.Fprintf(&b, "\nPeers absent: %s.\n", strings.Join(absent, ", "))
	}
	return b.String()
}

// present divides the programs that are peers into those that the machine has, with their versions, and others.
func (r *report) present() (present, absent []string) {
	for _, p := range r.programs {
		if p.Version == "" {
			absent = append(absent, p.Name)
		} else {
			present = append(present, p.Name+" "+p.Version)
		}
	}
	return present, absent
}

// write writes the report to a file and its charts into the folder charts beside it.
func (r *report) write(file string, progress io.Writer) error {
	charts, err := r.draw(filepath.Join(filepath.Dir(file), "charts"), progress)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("# Report\n\nMade by `go run ./benchmarks/cmd/bench`; do not edit. Only ratios within this report say something on another machine.\n\n")
	r.head(&b)
	fmt.Fprintf(&b, "\n## Bars\n\n%d of %d reached", r.reached, len(r.rows))
	if r.notMeasured > 0 {
		fmt.Fprintf(&b, ", %d not measured", r.notMeasured)
	}
	b.WriteString(". Times are the medians of the passes" + map[bool]string{true: ", or the quickest batch", false: ""}[r.best] + ".\n\n")
	b.WriteString(r.bars())
	b.WriteString(reliability)
	if len(charts) > 0 {
		b.WriteString("\n## How cost grows\n\nBoth axes are logarithmic: what costs the same whatever the number is level.\n")
		for _, c := range charts {
			fmt.Fprintf(&b, "\n![%s](charts/%s)\n", c.title, c.file)
		}
	}
	b.WriteString("\n## Everything that was measured\n\nThe ratio is the peer's time divided by ours: above 1 ours is faster.\n\n")
	b.WriteString(r.set.Table(r.best))
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(progress, "wrote %s: %d of %d bars reached\n", file, r.reached, len(r.rows))
	return nil
}

func (r *report) head(b *strings.Builder) {
	m := r.machine
	fmt.Fprintf(b, "| | |\n|---|---|\n| date | %s, took %s |\n| machine | %s, %d CPUs, %s |\n| system | %s |\n| Go | %s |\n| load when it began | %s |\n| passes | %d of %s for each benchmark |\n",
		r.began.UTC().Format("2006-01-02 15:04 UTC"), r.took.Round(time.Second), m.Processor, m.CPUs, m.Memory, m.System, m.Go, m.Load, r.passes, r.time)
	present, _ := r.present()
	fmt.Fprintf(b, "| peers present | %s |\n", strings.Join(present, ", "))
}

// reliability is the part of the report that no clock measures.
const reliability = `
## Reliability

These are tests; each command says what it found.

| | what | command |
|---|---|---|
| F1 | no data race, no goroutine left, no flake | ` + "`go run ./tools/dev race`, `go test -race -shuffle=on -count=20 ./<module>/...`" + ` |
| F2 | parsers and codecs survive any input | ` + "`go run ./tools/dev fuzz`" + ` |
| F3 | models agree with deque, queues, bus, registry, supervisor, mailbox | ` + "`go test ./... -run 'Model|Property'`" + ` in each module |
| F4 | kill -9 while writing loses nothing that was acknowledged | ` + "`go test ./registry/history/sqlite -run Killed -crash.rounds=100`, `go test ./wippy/service/queue/memory -run Killed -crash.rounds=200`" + ` |
| F5 | panics are contained | ` + "`go test ./... -run Panic`" + ` in each module |
| F6 | bad input gets one clear error | ` + "`go test ./wippy/cmd/wippy ./wippy/examples`" + ` |
| F7 | programs reach only what they were granted | ` + "`go test ./luart/engine -run 'Reachable|Observe|Refuse'`" + ` |
| F8 | the offender fails, the node lives | ` + "`go test ./benchmarks/lua -run '^$' -bench Neighbour`" + ` |
`
