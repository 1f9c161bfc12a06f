// SPDX-License-Identifier: Apache-2.0

// Package readme turns the first Go example of a README into a program.
package readme

import (
	"regexp"
	"strings"
)

// Block is a fenced code block.
type Block struct {
	// Source is the text between the fences.
	Source string
	// Line is the line of the README on which Source begins.
	Line int
}

// fence matches a line that may open or close a fenced code block.
var fence = regexp.MustCompile("^ {0,3}(`{3,}|~{3,})[ \t]*(.*?)[ \t]*$")

// FirstGo returns the first fenced code block of a Markdown text whose language is
// go, as CommonMark defines fences: the closing one is of the same character, at
// least as long, and without a language; a block that is not closed ends with the
// text.
func FirstGo(text string) (Block, bool) {
	var open string // the fence that the current line is behind
	var isGo bool
	var block Block
	var source strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		match := fence.FindStringSubmatch(line)
		switch {
		case open == "" && match != nil && !(match[1][0] == '`' && strings.Contains(match[2], "`")):
			open = match[1]
			language, _, _ := strings.Cut(match[2], " ")
			isGo = language == "go"
			block.Line = n + 1
		case open != "" && match != nil && match[2] == "" && match[1][0] == open[0] && len(match[1]) >= len(open):
			if isGo {
				block.Source = source.String()
				return block, true
			}
			open = ""
		case open != "" && isGo:
			source.WriteString(line + "\n")
		}
	}
	block.Source = source.String()
	return block, open != "" && isGo
}
