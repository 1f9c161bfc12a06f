// SPDX-License-Identifier: Apache-2.0

package readme_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wippyrun/kit/tools/consume/readme"
)

// standardLibrary is shared, for it reads each package once.
var standardLibrary = importer.Default()

// compile type-checks a program that imports nothing but the standard library.
func compile(p readme.Program) error {
	fset := token.NewFileSet()
	var files []*ast.File
	for name, src := range p.Files {
		f, err := parser.ParseFile(fset, name, src, 0)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	conf := types.Config{Importer: standardLibrary}
	_, err := conf.Check("main", fset, files, nil)
	return err
}

func TestFragmentsBecomeProgramsThatCompile(t *testing.T) {
	tests := []struct {
		name, source string
		imports      map[string]string
		surroundings string
		parts        []string // of main.go
	}{
		{name: "statements", source: "fmt.Println(1)\n", parts: []string{"import fmt \"fmt\"", "//line README.md:10\nfmt.Println(1)\n"}},
		{name: "context", source: "<-ctx.Done()\n"},
		{name: "own context", source: "ctx, cancel := context.WithCancel(context.Background())\ndefer cancel()\n<-ctx.Done()\n"},
		{name: "types and methods move out",
			source: "type a struct{ n int }\n\nfunc (x *a) get() int { return x.n }\nfunc (a) generic() {}\nfunc free() {}\nx := a{1}\nfmt.Println(x.get())\n",
			parts:  []string{"//line README.md:12\nfunc (x *a) get() int { return x.n }\n//line README.md:13\n"}},
		{name: "a call of a literal stays", source: "func() { fmt.Println() }()\nfunc(int) {}(1)\nfunc(n int) (m int) { return n }(1)\n"},
		{name: "errors are checked", source: "f, err := os.Open(\"x\")\nerr = f.Close()\n",
			parts: []string{"os.Open(\"x\")\nstopOnError(err)\n", "f.Close()\nstopOnError(err)\n"}},
		{name: "unused variables are shown after the check", source: "f, err := os.Open(\"x\")\nn := 1\nn = 2\n",
			parts: []string{"stopOnError(err)\nshowUnused(\"f\", f)\n", "n := 1\nshowUnused(\"n\", n)\n//line README.md:12\nn = 2\n}"}},
		{name: "a field is not a use", source: "n := 1\ns := struct{ n int }{}\nfmt.Println(s.n)\n", parts: []string{"showUnused(\"n\", n)"}},
		{name: "dots leave out", source: "fmt.Println(1)\n...\nfmt.Println(2)\n…\n// …\nfmt.Println(3)\n",
			parts: []string{"//line README.md:12\nfmt.Println(2)\n//line README.md:15\nfmt.Println(3)\n"}},
		{name: "written semicolons", source: "for i := 0; i < 3; i++ {\n\tif j := i; j > 1 {\n\t\tfmt.Println(j)\n\t}\n}\na := 1; fmt.Println(a)\n"},
		{name: "several lines", source: "fmt.Println(\n\t1,\n\t`raw\nx := 1\n`)\nos.\n\tGetpid()\n"},
		{name: "imports of its own", source: "import \"math/rand\"\nimport (\n\tt \"time\"\n)\nfmt.Println(rand.Int(), t.Now())\n"},
		{name: "imports of the examples", source: "fmt.Println(rand.Int(), js.Valid(nil))\n",
			imports: map[string]string{"rand": "math/rand/v2", "js": "encoding/json", "unused": "os"}},
		{name: "parameters and fields are no packages",
			source: "type s struct{ time int }\nuse := func(x s, y struct{ n int }) { fmt.Println(x.time, y.n, time.Now()) }\nuse(s{}, struct{ n int }{})\nfor _, e := range os.Environ() {\n\tfmt.Println(e)\n}\n"},
		{name: "surroundings", source: "order.ship()\nfmt.Println(order.to)\n",
			surroundings: "package main\n\ntype parcel struct{ to string }\n\nfunc (parcel) ship() { stopOnError(nil) }\n\nvar order = parcel{}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := readme.Build(readme.Block{Source: tt.source, Line: 10}, tt.imports, tt.surroundings)
			if err != nil {
				t.Fatal(err)
			}
			if err := compile(p); err != nil {
				t.Errorf("%v\n%s", err, p.Files["main.go"])
			}
			for _, part := range tt.parts {
				if !strings.Contains(p.Files["main.go"], part) {
					t.Errorf("no %q in\n%s", part, p.Files["main.go"])
				}
			}
		})
	}
}

func TestAWholeProgramIsLeftAlone(t *testing.T) {
	source := "// Package main.\npackage main\n\nfunc main() { println(1) }\n// Output: 1\n"
	p, err := readme.Build(readme.Block{Source: source, Line: 7}, nil, "package main\n\nfunc main() {}\n// Output: 2\n")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"main.go": "//line README.md:7\n" + source}
	if !maps.Equal(p.Files, want) || p.Want != "1" {
		t.Errorf("want %q, files %q", p.Want, p.Files)
	}
}

func TestOutputOfTheBlockComesBeforeThatOfTheSurroundings(t *testing.T) {
	const around = "package main\n\n// Output: around\n"
	for source, want := range map[string]string{
		"println()\n":                       "around",
		"println()\n// Output: block\n":     "block",
		"println() // prints an empty line": "around",
	} {
		if p, err := readme.Build(readme.Block{Source: source, Line: 1}, nil, around); err != nil || p.Want != want {
			t.Errorf("%q: %q, %v", source, p.Want, err)
		}
	}
}

func TestBuildReportsWhatIsNotGo(t *testing.T) {
	tests := []struct{ name, source, surroundings, want string }{
		{"statement", "a()\n\nb(\n", "", "README.md:12:"},
		{"declaration", "a()\nfunc b() { return )\n", "", "README.md:11:19: "},
		{"brackets", "a)\nb(\n", "", "README.md:10:2: "},
		{"string", "a(\"x)\n", "", "README.md:10:3: "},
		{"character", "a := 1 # 2\n", "", "README.md:10:8: "},
		{"empty", "\n// nothing\n...\n", "", "the example is empty"},
		{"surroundings", "a()\n", "package main\n)", "surroundings.go:2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readme.Build(readme.Block{Source: tt.source, Line: 10}, nil, tt.surroundings)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestImportsOfTakesTheNameInUse(t *testing.T) {
	var files []*ast.File
	for _, src := range []string{
		"package a\nimport (\n\"fmt\"\nlua \"example.com/gopher-lua\"\n\"example.com/xsync/v3\"\n\"example.com/v/value\"\n)\n",
		"package b\nimport (\n\"os\"\nfmt \"example.com/fmt\"\n)\n",
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	want := map[string]string{"fmt": "fmt", "lua": "example.com/gopher-lua", "xsync": "example.com/xsync/v3", "value": "example.com/v/value", "os": "os"}
	if got := readme.ImportsOf(files); !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// TestErrorsEndTheProgram runs one fragment: that an error of the example is not
// overlooked is what the check after it is for.
func TestErrorsEndTheProgram(t *testing.T) {
	p, err := readme.Build(readme.Block{Source: "_, err := os.Open(\"none\")\nfmt.Println(1)\n", Line: 1}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p.Files["go.mod"] = "module example.com/x\n\ngo 1.26.0\n"
	for name, content := range p.Files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "run", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "README.md: open none: ") || strings.HasPrefix(string(out), "1") {
		t.Errorf("%v: %s", err, out)
	}
}
