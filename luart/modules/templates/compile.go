// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/CloudyKit/jet/v6"
)

// compiled is a state of a set: all its templates, parsed. It is immutable.
type compiled struct {
	options Options
	sources map[string]string
	faults  map[string]error // of the templates that do not parse
	top     *jet.Template    // includes the template to render; nil with a fault at topPath
	plain   map[string]any   // globals that cannot change
	deep    map[string]any   // globals that are copied for every rendering
}

// topPath is where the template is that includes the one to render, whose path is in the variable topName. They are no
// names that templates can have.
const (
	topPath = "/\x00top"
	topName = "\x00name"
)

func newCompiled(o Options, sources map[string]string) *compiled {
	c := &compiled{options: o, sources: sources, faults: map[string]error{}, plain: map[string]any{}, deep: map[string]any{}}
	for name, v := range o.Globals {
		switch v.(type) {
		case map[string]any, []any:
			c.deep[name] = v
		default:
			c.plain[name] = v
		}
	}
	files := &files{c: c, open: map[string]bool{}, parsed: make(map[string]*jet.Template, len(sources))}
	set := jet.NewSet(files, jet.WithCache(files), jet.WithDelims(o.Left, o.Right),
		jet.WithCommentDelims(o.CommentLeft, o.CommentRight), jet.WithTemplateNameExtensions(o.suffixes()))
	for name, fn := range functions {
		set.AddGlobal(name, fn)
	}
	for name, v := range c.plain {
		set.AddGlobal(name, v)
	}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		if err := guard(func() error { _, err := set.GetTemplate(name); return err }); err != nil {
			c.faults[name] = err
		}
	}
	files.open = nil
	if err := guard(func() (err error) { c.top, err = parseTop(set, o); return err }); err != nil {
		c.faults[topPath] = err // the delimiters are no good
	}
	return c
}

// parseTop makes the template that includes the one to render. The include is in a block with content, which is empty.
// Without it an action {{ yield content }} outside of all blocks would execute what a rendering that failed left
// behind in Jet's pool of runtimes: content of another template, with its variables.
func parseTop(set *jet.Set, o Options) (*jet.Template, error) {
	source := strings.NewReplacer("{{", o.Left, "}}", o.Right).Replace("{{ block top() }}{{ include name }}{{ content }}{{ end }}")
	t, err := set.Parse(topPath, source)
	if err != nil {
		return nil, err
	}
	block := t.Root.Nodes[0].(*jet.BlockNode)
	block.Name = topPath
	block.List.Nodes[0].(*jet.IncludeNode).Name.(*jet.IdentifierNode).Ident = topName
	return t, nil
}

// guard runs f. A panic becomes an error.
func guard(f func() error) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case error:
			err = v
		default:
			err = fmt.Errorf("%v", v)
		}
	}()
	return f()
}

func (c *compiled) render(w *watch, name string, variables map[string]any) (string, error) {
	found := ""
	for _, p := range c.options.names(name) {
		if _, ok := c.sources[p]; ok {
			found = p
			break
		}
	}
	if found == "" {
		return "", errNoTemplate
	}
	for _, p := range []string{found, topPath} {
		if err := c.faults[p]; err != nil {
			return "", err
		}
	}
	vars := make(jet.VarMap, len(c.deep)+len(variables)+2)
	for key, v := range c.deep {
		vars[key] = reflect.ValueOf(clone(v))
	}
	for key, v := range variables {
		vars[key] = reflect.ValueOf(v)
	}
	vars[stepName], vars[topName] = reflect.ValueOf(w.function()), reflect.ValueOf(found)
	err := guard(func() error { return c.top.Execute(w, vars, nil) })
	if w.failed != nil { // a template may have caught it, and gone on
		err = w.failed
	}
	if err != nil {
		return "", err
	}
	return w.out.String(), nil
}

// clone copies plain data.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, item := range v {
			m[key] = clone(item)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = clone(item)
		}
		return list
	}
	return v
}

// files gives Jet the sources and keeps what it parsed. It is used by one goroutine until open is nil, and then only
// read.
type files struct {
	c      *compiled
	parsed map[string]*jet.Template
	open   map[string]bool // the sources being parsed; nil when all are
}

// Exists implements jet.Loader.
func (f *files) Exists(name string) bool {
	_, ok := f.c.sources[name]
	return ok
}

// Open implements jet.Loader. Jet closes what it returns when the source is parsed, and with it all that it extends
// and imports.
func (f *files) Open(name string) (io.ReadCloser, error) {
	if f.open == nil {
		return nil, f.c.faults[name] // all others are found in the cache
	}
	if f.open[name] {
		return nil, errors.New("templates extend or import each other in a circle")
	}
	source := f.c.sources[name]
	if err := checkActions(source, f.c.options); err != nil {
		return nil, err
	}
	f.open[name] = true
	return &file{strings.NewReader(trimComments(source, f.c.options)), func() { delete(f.open, name) }}, nil
}

type file struct {
	*strings.Reader
	close func()
}

// Close implements io.Closer.
func (f *file) Close() error {
	f.close()
	return nil
}

// Get implements jet.Cache.
func (f *files) Get(name string) *jet.Template { return f.parsed[name] }

// Put implements jet.Cache.
func (f *files) Put(name string, t *jet.Template) {
	if f.open != nil {
		watchTemplate(t)
		f.parsed[name] = t
	}
}
