// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter

import (
	"sync"

	grammarlua "github.com/tree-sitter-grammars/tree-sitter-lua/bindings/go"
	ts "github.com/tree-sitter/go-tree-sitter"
	grammarcsharp "github.com/tree-sitter/tree-sitter-c-sharp/bindings/go"
	grammargo "github.com/tree-sitter/tree-sitter-go/bindings/go"
	grammarhtml "github.com/tree-sitter/tree-sitter-html/bindings/go"
	grammarjavascript "github.com/tree-sitter/tree-sitter-javascript/bindings/go"
	grammarphp "github.com/tree-sitter/tree-sitter-php/bindings/go"
	grammarpython "github.com/tree-sitter/tree-sitter-python/bindings/go"
	grammartypescript "github.com/tree-sitter/tree-sitter-typescript/bindings/go"
)

// language is a grammar. It is shared by all processes and never released.
type language struct {
	name    string
	aliases []string
	lang    *ts.Language

	// index has the ids of its names. It is made when first asked for.
	index func() *index
}

// languages returns all languages.
var languages = sync.OnceValue(func() []*language {
	list := []*language{
		{name: "c#", aliases: []string{"csharp", "cs"}, lang: ts.NewLanguage(grammarcsharp.Language())},
		{name: "go", aliases: []string{"golang"}, lang: ts.NewLanguage(grammargo.Language())},
		{name: "html", aliases: []string{"html5"}, lang: ts.NewLanguage(grammarhtml.Language())},
		{name: "javascript", aliases: []string{"js"}, lang: ts.NewLanguage(grammarjavascript.Language())},
		{name: "lua", lang: ts.NewLanguage(grammarlua.Language())},
		{name: "php", lang: ts.NewLanguage(grammarphp.LanguagePHP())},
		{name: "python", aliases: []string{"py"}, lang: ts.NewLanguage(grammarpython.Language())},
		{name: "typescript", aliases: []string{"ts"}, lang: ts.NewLanguage(grammartypescript.LanguageTypescript())},
		{name: "typescript+jsx", aliases: []string{"tsx"}, lang: ts.NewLanguage(grammartypescript.LanguageTSX())},
	}
	for _, l := range list {
		l.index = sync.OnceValue(func() *index { return newIndex(l.lang) })
	}
	return list
})

// names has the languages under all their names.
var names = sync.OnceValue(func() map[string]*language {
	m := map[string]*language{}
	for _, l := range languages() {
		m[l.name] = l
		for _, alias := range l.aliases {
			m[alias] = l
		}
	}
	return m
})

// languageOf returns the language of a name, nil when there is none.
func languageOf(name string) *language { return names()[name] }

// errorKind is the id of nodes of kind ERROR, which every language has.
const errorKind = 1<<16 - 1

// kind is a kind of nodes: a name may be that of a rule and of a token.
type kind struct {
	name  string
	named bool
}

// index has the ids of a language's names. The library's own search copies the name for each call and keeps the copy;
// here it is asked once for each name that exists.
type index struct {
	kinds  map[kind]uint16
	fields map[string]uint16
}

func newIndex(l *ts.Language) *index {
	x := &index{kinds: map[kind]uint16{{"ERROR", true}: errorKind, {"ERROR", false}: errorKind}, fields: map[string]uint16{}}
	for id := range uint16(l.NodeKindCount()) {
		k := kind{l.NodeKindForId(id), l.NodeKindIsNamed(id) || l.NodeKindIsSupertype(id)}
		if !l.NodeKindIsVisible(id) && !l.NodeKindIsSupertype(id) || k.name == "" {
			continue
		}
		if _, ok := x.kinds[k]; !ok {
			x.kinds[k] = l.IdForNodeKind(k.name, k.named)
		}
	}
	for id := uint16(1); id <= uint16(l.FieldCount()); id++ {
		name := l.FieldNameForId(id)
		x.fields[name] = l.FieldIdForName(name)
	}
	return x
}
