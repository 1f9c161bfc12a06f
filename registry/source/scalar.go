// SPDX-License-Identifier: Apache-2.0

package source

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/registry"
)

// maxExact is the largest integer up to which every integer is a float64.
const maxExact = 1 << 53

// scalarText returns the text of any scalar but null.
func scalarText(n *yaml.Node) (string, bool) {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return "", false
	}
	return n.Value, true
}

func (d *decoder) scalar(n *yaml.Node, b *registry.OriginBuilder) any {
	switch tag := n.ShortTag(); tag {
	case "!!str":
		return d.text(n, b)
	case "!!null":
		if isNull(n.Value) {
			return nil
		}
		return d.mistagged(n, tag)
	case "!!bool":
		switch n.Value {
		case "true", "True", "TRUE":
			return true
		case "false", "False", "FALSE":
			return false
		}
		return d.mistagged(n, tag)
	case "!!int":
		if v, ok := d.integer(n); ok {
			return v
		}
		return d.mistagged(n, tag)
	case "!!float":
		return d.float(n)
	case "!!binary":
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
		if err != nil {
			d.file.fail(n, d.where(), "bad base64").Err = err
			return nil
		}
		return string(raw)
	}
	return d.text(n, b) // timestamps and tags of other people stay text
}

func isNull(text string) bool {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return true
	}
	return false
}

// mistagged reports a value whose written tag does not fit it.
func (d *decoder) mistagged(n *yaml.Node, tag string) any {
	d.file.fail(n, d.where(), fmt.Sprintf("%q is no %s", n.Value, tag))
	return nil
}

func (d *decoder) text(n *yaml.Node, b *registry.OriginBuilder) string {
	if strings.HasPrefix(n.Value, fileScheme) {
		text, _ := d.interpolate(n, b)
		return text
	}
	if b != nil && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		b.Text(b.Last(), "", n.Line, d.indent(n.Line))
	}
	return n.Value
}

func (d *decoder) integer(n *yaml.Node) (float64, bool) {
	text := strings.ReplaceAll(n.Value, "_", "")
	i, err := strconv.ParseInt(text, 0, 64)
	if err == nil {
		if i > maxExact || i < -maxExact {
			d.inexact(n)
		}
		return float64(i), true
	}
	if !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	if u, err := strconv.ParseUint(text, 0, 64); err == nil {
		d.inexact(n)
		return float64(u), true
	}
	f, err := strconv.ParseFloat(text, 64) // JSON knows no other numbers
	if err == nil {
		d.inexact(n)
	}
	return f, err == nil
}

func (d *decoder) inexact(n *yaml.Node) {
	d.file.warn(n, d.where(), fmt.Sprintf("integer %s cannot be represented exactly", n.Value)).Hint = "quote it to keep it as text"
}

func (d *decoder) float(n *yaml.Node) any {
	var f float64
	if err := n.Decode(&f); err != nil {
		return d.mistagged(n, "!!float")
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		d.file.fail(n, d.where(), fmt.Sprintf("number %q is not representable", n.Value))
		return nil
	}
	if math.Abs(f) > maxExact && !strings.ContainsAny(n.Value, ".eE") {
		d.inexact(n)
	}
	return f
}

// indent returns the indentation of the block scalar whose header is on the given line.
func (d *decoder) indent(header int) int {
	if d.lines == nil {
		d.lines = append(d.lines, 0)
		for i, c := range d.raw {
			if c == '\n' {
				d.lines = append(d.lines, i+1)
			}
		}
	}
	if header < 1 || header >= len(d.lines) {
		return 0
	}
	column := 0
	for _, c := range d.raw[d.lines[header]:] {
		switch c {
		case ' ':
			column++
		case '\n', '\r':
			column = 0
		default:
			return column
		}
	}
	return 0
}
