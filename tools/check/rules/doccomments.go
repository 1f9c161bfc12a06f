// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"

	"github.com/wippyrun/kit/tools/check/repo"
)

var docComments = Rule{
	Name:  "doc",
	About: "packages and exported names have doc comments that start with the name",
	Check: checkDocComments,
}

func checkDocComments(_ context.Context, env Env) ([]Problem, error) {
	var out []Problem
	for _, m := range env.Repo.Modules {
		packages := make(map[string][]*repo.File)
		for _, f := range m.Files {
			if f.IsGo() && !f.IsTest() {
				dir := path.Dir(f.Path)
				packages[dir] = append(packages[dir], f)
			}
		}
		for _, files := range packages {
			out = append(out, checkPackage(files)...)
		}
	}
	return out, nil
}

func checkPackage(files []*repo.File) []Problem {
	var out []Problem
	documented := false
	for _, f := range files {
		p, err := f.Parse()
		if err != nil {
			out = append(out, syntaxProblem(f, err))
			continue
		}
		name := p.AST.Name.Name
		if doc := p.AST.Doc; doc != nil {
			documented = true
			if want := "Package " + name; name != "main" && !startsWith(doc.Text(), want) {
				out = append(out, Problem{File: f.Path, Line: p.Line(doc.Pos()), Message: "package comment does not start with its name",
					Fix: "begin it with \"" + want + "\""})
			}
		}
		if name == "main" {
			continue
		}
		for _, d := range p.AST.Decls {
			for _, n := range undocumented(d) {
				out = append(out, Problem{File: f.Path, Line: p.Line(n.pos), Message: n.message,
					Fix: "write a comment that starts with \"" + n.name + "\""})
			}
		}
	}
	if !documented && len(files) > 0 {
		out = append(out, Problem{File: files[0].Path, Message: "package has no package comment",
			Fix: "write one that says what the package is for"})
	}
	return out
}

// remark is one name whose documentation is missing or begins wrongly.
type remark struct {
	pos           token.Pos
	name, message string
}

func undocumented(d ast.Decl) []remark {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d.Recv))) {
			kind := "func "
			if d.Recv != nil {
				kind = "method "
			}
			return judgeDoc(d.Doc, kind, d.Name)
		}
	case *ast.GenDecl:
		var out []remark
		for _, s := range d.Specs {
			out = append(out, undocumentedSpec(d, s)...)
		}
		return out
	}
	return nil
}

func undocumentedSpec(d *ast.GenDecl, s ast.Spec) []remark {
	grouped := d.Lparen.IsValid()
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() {
			doc := s.Doc
			if !grouped {
				doc = d.Doc
			}
			return judgeDoc(doc, "type ", s.Name)
		}
	case *ast.ValueSpec:
		names := slices.DeleteFunc(slices.Clone(s.Names), func(n *ast.Ident) bool { return !n.IsExported() })
		if len(names) == 0 {
			return nil
		}
		switch {
		case !grouped:
			return judgeDoc(d.Doc, d.Tok.String()+" ", names...)
		case s.Doc != nil:
			return judgeDoc(s.Doc, d.Tok.String()+" ", names...)
		case s.Comment == nil && d.Doc == nil:
			return judgeDoc(nil, d.Tok.String()+" ", names...)
		}
		// Members of a group may lean on a trailing comment or the group's.
	}
	return nil
}

// judgeDoc checks that a comment exists and starts with one of the names.
func judgeDoc(doc *ast.CommentGroup, kind string, names ...*ast.Ident) []remark {
	first := names[0]
	if doc == nil || strings.TrimSpace(doc.Text()) == "" {
		return []remark{{first.Pos(), first.Name, "exported " + kind + first.Name + " has no doc comment"}}
	}
	text := doc.Text()
	for _, article := range []string{"A ", "An ", "The "} {
		text = strings.TrimPrefix(text, article)
	}
	for _, n := range names {
		if startsWith(text, n.Name) {
			return nil
		}
	}
	if strings.HasPrefix(text, "Deprecated:") {
		return nil
	}
	return []remark{{doc.Pos(), first.Name, "doc comment of " + kind + first.Name + " does not start with its name"}}
}

// startsWith reports whether text begins with the word.
func startsWith(text, word string) bool {
	rest, ok := strings.CutPrefix(text, word)
	return ok && (rest == "" || !isLetter(rest[0]))
}

func isLetter(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// receiver returns the name of a method's type.
func receiver(recv *ast.FieldList) string {
	t := recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
