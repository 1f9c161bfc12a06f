// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"slices"

	"github.com/wippyrun/kit/luart/engine"
)

// Options describe a set. Start with [Defaults]: the zero value is not valid.
type Options struct {
	// Left and Right are the delimiters of actions, "{{" and "}}" by default.
	Left, Right string
	// CommentLeft and CommentRight are the delimiters of comments, "{*" and "*}" by default.
	CommentLeft, CommentRight string
	// Extensions are tried after the name itself, in this order. The default is .jet, .html.jet, .jet.html.
	Extensions []string
	// Globals are variables of every template. They are plain data: nil, booleans, strings, numbers, []any and
	// map[string]any. The set keeps them; they must not change any more.
	Globals map[string]any

	_ struct{}
}

// Defaults returns the options of a set that says nothing.
func Defaults() Options {
	return Options{
		Left: "{{", Right: "}}", CommentLeft: "{*", CommentRight: "*}",
		Extensions: []string{".jet", ".html.jet", ".jet.html"},
	}
}

// Validate returns an error of kind Invalid when the options are no good.
func (o Options) Validate() error {
	switch {
	case o.Left == "" || o.Right == "":
		return invalid("delimiters cannot be empty")
	case o.CommentLeft == "" || o.CommentRight == "":
		return invalid("comment delimiters cannot be empty")
	case o.Left == o.CommentLeft || o.Right == o.CommentRight:
		return invalid("delimiters and comment delimiters cannot be the same")
	case len(o.Extensions) == 0:
		return invalid("at least one file extension is required")
	}
	return nil
}

// names returns the paths that name may stand for, in the order they are tried.
func (o Options) names(name string) []string {
	list := []string{name}
	for _, ext := range o.Extensions {
		list = append(list, name+ext)
	}
	return list
}

// suffixes are the extensions with the empty one first.
func (o Options) suffixes() []string { return slices.Concat([]string{""}, o.Extensions) }

func invalid(message string) error { return engine.NewError(engine.KindInvalid, message) }
