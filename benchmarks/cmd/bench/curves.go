// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/wippyrun/kit/benchmarks/internal/bars"
	"github.com/wippyrun/kit/benchmarks/internal/chart"
)

// curve is a chart to be: the cost of things whose names differ in a number.
type curve struct {
	file, title, x, y string
	pkg, bench        string
	scale             int            // largest number of a full report
	thing             *regexp.Regexp // finds the number in the name of a thing
	unit              string         // "" for the time
}

// curves are the charts of a report.
var curves = []curve{
	{"processes.svg", "Message to one of many native processes", "processes", "ns for each message",
		"process", "BenchmarkScaleProcesses", 1_000_000, regexp.MustCompile(`^process ScaleProcesses/n=(\d+)$`), ""},
	{"processes-memory.svg", "Memory of a native process", "processes", "bytes for each process",
		"process", "BenchmarkScaleProcesses", 1_000_000, regexp.MustCompile(`^process ScaleProcesses/n=(\d+)$`), "B/item"},
	{"lua-processes.svg", "Message to one of many Lua processes", "processes", "ns for each message",
		"lua", "BenchmarkScaleProcesses", 1_000_000, regexp.MustCompile(`^lua ScaleProcesses/n=(\d+)$`), ""},
	{"lua-processes-memory.svg", "Memory of a Lua process", "processes", "bytes for each process",
		"lua", "BenchmarkScaleProcesses", 1_000_000, regexp.MustCompile(`^lua ScaleProcesses/n=(\d+)$`), "B/item"},
	{"subscriptions.svg", "Event beside subscriptions that do not match", "subscriptions", "ns for each event",
		"eventbus", "BenchmarkScaleSubscriptions", 100_000, regexp.MustCompile(`^eventbus ScaleSubscriptions/n=(\d+)$`), ""},
	{"entries-get.svg", "Get among entries", "entries", "ns",
		"registry", "BenchmarkScaleGet", 100_000, regexp.MustCompile(`^registry ScaleGet/n=(\d+)$`), ""},
	{"entries-apply.svg", "Change of one entry", "entries", "ns",
		"registry", "BenchmarkScaleApply", 100_000, regexp.MustCompile(`^registry ScaleApply/n=(\d+)$`), ""},
	{"message-bytes.svg", "Message with a text, there and back", "bytes", "ns",
		"lua", "BenchmarkScaleMessage", 100_000, regexp.MustCompile(`^lua ScaleMessage/bytes=(\d+)$`), ""},
	{"message-fields.svg", "Message with a table, there and back", "fields", "ns",
		"lua", "BenchmarkScaleMessage", 100_000, regexp.MustCompile(`^lua ScaleMessage/fields=(\d+)$`), ""},
}

// curveRuns are the benchmarks behind the charts. A million processes take their time, which
// one pass is enough for.
func curveRuns(quick bool) []bars.Run {
	var runs []bars.Run
	for _, c := range curves {
		scale := c.scale
		if quick {
			scale = 100
		}
		runs = append(runs, bars.Run{
			Package: "benchmarks/" + c.pkg, Bench: "^(" + c.bench + ")$",
			Args: []string{"-scale", strconv.Itoa(scale)}, Long: !quick && scale > 100_000,
		})
	}
	return runs
}

// drawn is a chart in a file.
type drawn struct{ file, title string }

// draw draws the charts into a folder.
func (r *report) draw(dir string, progress io.Writer) ([]drawn, error) {
	var list []drawn
	for _, c := range curves {
		byWho := map[string]map[int]float64{}
		var order []string
		for _, thing := range r.set.Things("") {
			m := c.thing.FindStringSubmatch(thing)
			if m == nil {
				continue
			}
			n, _ := strconv.Atoi(m[1])
			for _, who := range r.set.Who(thing) {
				v, ok := r.cost(thing, who, c.unit)
				if !ok || v <= 0 {
					continue
				}
				if byWho[who] == nil {
					byWho[who] = map[int]float64{}
					order = append(order, who)
				}
				byWho[who][n] = v
			}
		}
		if len(order) == 0 {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		picture := chart.Chart{Title: c.title, X: c.x, Y: c.y}
		for _, who := range order {
			picture.Curves = append(picture.Curves, chart.Curve{Name: who, Points: byWho[who]})
		}
		if err := picture.Draw(filepath.Join(dir, c.file)); err != nil {
			return nil, err
		}
		fmt.Fprintf(progress, "drew %s\n", c.file)
		list = append(list, drawn{c.file, c.title})
	}
	return list, nil
}

func (r *report) cost(thing, who, unit string) (float64, bool) {
	if unit == "" {
		return r.set.Time(thing, who, r.best)
	}
	return r.set.Value(thing, who, unit)
}
