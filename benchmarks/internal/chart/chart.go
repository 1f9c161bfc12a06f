// SPDX-License-Identifier: Apache-2.0

// Package chart draws how cost grows with number, as SVG, on logarithmic axes: what costs the
// same is level, what grows with the number rises.
package chart

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// Curve is one line: the cost at each number.
type Curve struct {
	Name   string
	Points map[int]float64
}

// Chart is curves over a common axis.
type Chart struct {
	Title, X, Y string
	Curves      []Curve
}

// Draw writes the chart into an SVG file. Curves without points are left out; a chart
// without any is an error.
func (c Chart) Draw(file string) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	drawn := 0
	for _, curve := range c.Curves {
		if len(curve.Points) == 0 {
			continue
		}
		line, points, err := plotter.NewLinePoints(sorted(curve.Points))
		if err != nil {
			return fmt.Errorf("%s: %w", curve.Name, err)
		}
		line.Color, points.Color = plotutil.Color(drawn), plotutil.Color(drawn)
		points.Shape = plotutil.Shape(drawn)
		line.Width = vg.Points(1.5)
		p.Add(line, points)
		p.Legend.Add(curve.Name, line, points)
		drawn++
	}
	if drawn == 0 {
		return fmt.Errorf("%s: nothing was measured", c.Title)
	}
	// A level line would leave no room: show a decade below and above.
	p.Y.Min, p.Y.Max = p.Y.Min/3, p.Y.Max*10
	p.X.Max *= 1.5 // for the last label
	return p.Save(16*vg.Centimeter, 10*vg.Centimeter, file)
}

func sorted(points map[int]float64) plotter.XYs {
	var xys plotter.XYs
	for x, y := range points {
		xys = append(xys, plotter.XY{X: float64(x), Y: y})
	}
	slices.SortFunc(xys, func(a, b plotter.XY) int {
		if a.X < b.X {
			return -1
		}
		return 1
	})
	return xys
}
