// SPDX-License-Identifier: Apache-2.0

package readme

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// item is one declaration or statement of a fragment.
type item struct {
	source string
	line   int // in the README
	// kind is token.IMPORT, token.FUNC or token.TYPE for what belongs outside of a
	// function, else token.ILLEGAL.
	kind token.Token
	// file is the syntax tree: the item alone in a file, or alone in its function.
	file *ast.File
}

// statements returns the statements of an item, none for a declaration.
func (it item) statements() []ast.Stmt {
	if it.kind != token.ILLEGAL {
		return nil
	}
	return it.file.Decls[0].(*ast.FuncDecl).Body.List
}

// isProgram reports whether a text begins with a package clause.
func isProgram(src string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", src, parser.PackageClauseOnly)
	return err == nil
}

// split cuts a fragment into its items. A line of nothing but three dots, by which
// a README leaves something out, is nothing.
func split(b Block) ([]item, error) {
	src := blankDots(b.Source)
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src))
	var lexical scanner.ErrorList
	s.Init(file, []byte(src), lexical.Add, 0)
	var out []item
	var head []token.Token // of the current item
	start, depth := 0, 0
	for {
		pos, tok, lit := s.Scan()
		offset := min(file.Offset(pos), len(src))
		switch tok {
		case token.LPAREN, token.LBRACE, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth--
		}
		// Only a semicolon at the end of a line ends an item: the written ones may
		// be those of an if or a for.
		if tok == token.EOF || tok == token.SEMICOLON && lit == "\n" && depth == 0 {
			if len(head) > 0 {
				it, err := parse(strings.TrimSpace(src[start:offset]), b.Line+file.Line(file.Pos(start))-1, head)
				if err != nil {
					return nil, err
				}
				out = append(out, it)
				head = nil
			}
			if tok == token.EOF {
				return out, lexical.Err()
			}
			continue
		}
		if len(head) == 0 {
			start = offset
		}
		head = append(head, tok)
	}
}

// parse makes an item of its text and its tokens.
func parse(source string, line int, tokens []token.Token) (item, error) {
	it := item{source: source, line: line, kind: declares(tokens)}
	text := "package p\n" + source + "\n"
	shift := line - 2 // to the README from a text whose second line is the item's first
	if it.kind == token.ILLEGAL {
		text = "package p; func _() {\n" + source + "\n}\n"
	}
	var err error
	it.file, err = parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if list, ok := errors.AsType[scanner.ErrorList](err); ok && len(list) > 0 {
		// What is missing at the end is missed behind it.
		at := min(list[0].Pos.Line+shift, line+strings.Count(source, "\n"))
		return it, fmt.Errorf("README.md:%d:%d: %s", at, list[0].Pos.Column, list[0].Msg)
	}
	return it, err
}

// declares tells what kind of declaration begins with these tokens. A function
// with a name or a receiver is one; a call of a function literal is a statement.
func declares(tokens []token.Token) token.Token {
	switch tokens[0] {
	case token.IMPORT, token.TYPE:
		return tokens[0]
	case token.FUNC:
		if len(tokens) > 1 && tokens[1] == token.IDENT {
			return token.FUNC
		}
		if closing := slices.Index(tokens, token.RPAREN); closing >= 0 && closing+2 < len(tokens) &&
			tokens[closing+1] == token.IDENT && tokens[closing+2] == token.LPAREN {
			return token.FUNC
		}
	}
	return token.ILLEGAL
}

func blankDots(src string) string {
	lines := strings.Split(src, "\n")
	for i, line := range lines {
		if t := strings.TrimSpace(line); t == "..." || t == "…" {
			lines[i] = ""
		}
	}
	return strings.Join(lines, "\n")
}
