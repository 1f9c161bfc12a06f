// SPDX-License-Identifier: Apache-2.0

package metrics

import "strings"

// plain returns a name as the oldest format of Prometheus can write it: of letters, digits, underscores
// and colons, others as underscores. Names that are the same then are the same here, or a scrape in that
// format would hold one metric twice. Names that are plain already cost nothing.
func plain(name string) string {
	for i := range len(name) {
		if !isPlain(name[i], i) {
			return escape(name)
		}
	}
	return name
}

func isPlain(c byte, at int) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' || at > 0 && c >= '0' && c <= '9'
}

func escape(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r < 0x80 && isPlain(byte(r), i) {
			b.WriteRune(r)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

// parts are what a histogram is written as, beside its own name.
var parts = []string{"_count", "_sum", "_bucket"}

// clash finds the metric that a new one cannot stand beside: a histogram and what would look like a part
// of it. mu is held.
func (m *Metrics) clash(kind Type, name string) *family {
	for _, part := range parts {
		if kind == HistogramType {
			if f := m.families[name+part]; f != nil {
				return f
			}
		}
		if base, ok := strings.CutSuffix(name, part); ok {
			if f := m.families[base]; f != nil && f.kind == HistogramType {
				return f
			}
		}
	}
	return nil
}
