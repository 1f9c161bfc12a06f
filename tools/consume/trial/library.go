// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/wippyrun/kit/tools/consume/readme"
	"github.com/wippyrun/kit/tools/consume/surroundings"
	"github.com/wippyrun/kit/tools/pack"
)

// Library tries the module in a directory of the workspace as a library: in a
// module that requires it alone, the example of its README builds and prints what
// it should, all its packages build, and nothing came along but what the import
// table allows, in the versions and with the content that the workspace has. The
// error is a *Failure.
func (s *Site) Library(ctx context.Context, dir string) error {
	m, err := s.packed(dir)
	if err != nil {
		return err
	}
	if err := s.download(ctx, m); err != nil {
		return err
	}
	fail := func(step string, err error) error { return &Failure{Module: dir, Step: step, Err: err} }
	program, err := s.example(m)
	if err != nil {
		return fail("readme", err)
	}
	scratch := filepath.Join(s.dir, "library", filepath.FromSlash(dir))
	if err := s.write(scratch, program); err != nil {
		return fail("write", err)
	}
	in := func(step string) command { return command{module: dir, step: step, dir: scratch, env: s.env} }
	binary := filepath.Join(scratch, "example.exe")
	if _, err := s.run(ctx, in("get"), "go", "get", m.Path+"@"+m.Version.Version); err != nil {
		return err
	}
	if _, err := s.run(ctx, in("build"), "go", "build", "-o", binary, "."); err != nil {
		if f, ok := errors.AsType[*Failure](err); ok {
			f.Output += "What the README leaves out is declared in tools/consume/surroundings/" + dir + ".go.txt.\n"
		}
		return err
	}
	printed, err := s.runInTime(ctx, in("run"), binary)
	if err != nil {
		return err
	}
	if program.Want != "" {
		err = readme.CompareOutput(printed, program.Want)
	} else if strings.TrimSpace(printed) == "" {
		err = errors.New("printed nothing, and no // Output: says that it should")
	}
	if err != nil {
		return fail("output", err)
	}
	if _, err := s.run(ctx, in("packages"), "go", "build", m.Path+"/..."); err != nil {
		return err
	}
	// Unlike "go list -m all" this wants no dates, which a cache has for few modules.
	graph, err := s.run(ctx, in("graph"), "go", "mod", "graph")
	if err != nil {
		return err
	}
	all, added := parseGraph(graph)
	if err := s.checkModules(m, all, added); err != nil {
		return fail("modules", err)
	}
	parts, err := binaryParts(binary)
	if err != nil {
		return fail("binary", err)
	}
	if err := checkNoTestModules(parts); err != nil {
		return fail("binary", err)
	}
	got, err := readSums(filepath.Join(scratch, "go.sum"))
	if err != nil {
		return fail("sums", err)
	}
	if err := s.checkSums(m, got); err != nil {
		return fail("sums", err)
	}
	return nil
}

// example makes a program of the README of a module.
func (s *Site) example(m *pack.Module) (readme.Program, error) {
	name := path.Join(m.Dir, "README.md")
	text, err := os.ReadFile(filepath.Join(s.rp.Root, filepath.FromSlash(name)))
	if err != nil {
		return readme.Program{}, err
	}
	block, ok := readme.FirstGo(string(text))
	if !ok {
		return readme.Program{}, fmt.Errorf("%s has no ```go block", name)
	}
	around, err := surroundings.For(m.Dir)
	if err != nil {
		return readme.Program{}, err
	}
	// The examples of the module import what its README talks about.
	var examples []*ast.File
	for _, f := range s.rp.Module(m.Dir).Files {
		if path.Base(f.Path) != "example_test.go" {
			continue
		}
		parsed, err := f.Parse()
		if err != nil {
			return readme.Program{}, err
		}
		examples = append(examples, parsed.AST)
	}
	return readme.Build(block, readme.ImportsOf(examples), around)
}

// write makes the scratch module.
func (s *Site) write(dir string, p readme.Program) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	files := map[string]string{"go.mod": "module example.com/scratch\n\ngo " + s.rp.Work.Go.Version + "\n"}
	for name, content := range p.Files {
		files[name] = content
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			return err
		}
	}
	return nil
}
