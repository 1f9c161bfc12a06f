// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tree makes a file system of name, content pairs.
func tree(files ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return m
}

func load(t *testing.T, opts source.Options, files ...string) ([]registry.Entry, []string, error) {
	t.Helper()
	var warnings []string
	opts.Warn = func(p *source.Problem) { warnings = append(warnings, p.Error()) }
	es, err := source.LoadFS(t.Context(), tree(files...), "src", opts)
	return es, warnings, err
}

func mustLoad(t *testing.T, files ...string) []registry.Entry {
	t.Helper()
	es, warnings, err := load(t, source.Options{}, files...)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) > 0 {
		t.Errorf("warnings %q", warnings)
	}
	return es
}

func wantOne(t *testing.T, es []registry.Entry, id, kind string, meta map[string]any, data any) {
	t.Helper()
	if len(es) != 1 {
		t.Fatalf("%d entries: %v", len(es), es)
	}
	want := registry.Entry{ID: registry.ParseID(id), Kind: kind, Meta: meta, Data: data}
	if !es[0].Equal(want) {
		t.Errorf("entry %+v\n want %+v", es[0], want)
	}
}

type m = map[string]any

func TestLoadForms(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		id, kind         string
		meta             m
		data             any
	}{
		{"list", "a.yaml", "namespace: app\nentries:\n  - name: x\n    kind: k\n    y: 2\n    z: {a: [1, two, true, null]}\n",
			"app:x", "k", nil, m{"y": 2.0, "z": m{"a": []any{1.0, "two", true, nil}}}},
		{"data wins over other fields", "a.yml", "namespace: app\nentries:\n  - {name: x, kind: k, data: {x: 1}, y: 2}\n", "app:x", "k", nil, m{"x": 1.0}},
		{"data may be any value", "a.yml", "namespace: app\nentries:\n  - {name: x, kind: k, data: [1]}\n", "app:x", "k", nil, []any{1.0}},
		{"single entry with data", "a.yaml", "version: '1.0'\nnamespace: app\nname: x\nkind: k\nmeta: {m: 1}\ndata: {a: 1, name: no, meta: no}\nlost: 1\n",
			"app:x", "k", m{"m": 1.0}, m{"a": 1.0}},
		{"single entry without data", "a.yaml", "version: 1.0\nnamespace: app\nname: x\nkind: k\nfoo: bar\n", "app:x", "k", nil, m{"foo": "bar"}},
		{"metadata of the file goes under that of the entry", "a.yaml", "namespace: app\nmeta: {a: 1, b: 1}\nentries:\n  - name: x\n    kind: k\n    meta: {b: 2}\n",
			"app:x", "k", m{"a": 1.0, "b": 2.0}, m{}},
		{"json", "a.json", `{"namespace":"app","entries":[{"name":"x","kind":"k","s":"\ud83d\ude00\/","n":-1.5e2,"b":false,"z":null}]}`,
			"app:x", "k", nil, m{"s": "😀/", "n": -150.0, "b": false, "z": nil}},
		{"json numbers", "a.json", `{"namespace":"app","entries":[{"name":"x","kind":"k","n":[0,10,1e3]}]}`, "app:x", "k", nil, m{"n": []any{0.0, 10.0, 1000.0}}},
		{"scalars", "a.yaml", "namespace: app\nentries:\n  - name: 404\n    kind: k\n    mode: 0600\n    o: 0o17\n    h: 0x1F\n    u: 1_000\n    f: 1.5\n    d: 2024-01-02\n    yes: yes\n    q: '12'\n    e: 1e3\n    b: !!binary aGk=\n    t: True\n    nil: ~\n",
			"app:404", "k", nil, m{"mode": 384.0, "o": 15.0, "h": 31.0, "u": 1000.0, "f": 1.5, "d": "2024-01-02", "yes": "yes", "q": "12", "e": 1000.0, "b": "hi", "t": true, "nil": nil}},
		{"anchors and merge keys", "a.yaml", "namespace: app\nx-base: &b {p: 1, q: 2}\nentries:\n  - name: x\n    kind: k\n    v: {<<: *b, q: 3}\n    w: *b\n", "app:x", "k", nil,
			m{"v": m{"p": 1.0, "q": 3.0}, "w": m{"p": 1.0, "q": 2.0}}},
		{"keys are text", "a.yaml", "namespace: app\nentries:\n  - name: x\n    kind: k\n    m: {1: a, true: b}\n", "app:x", "k", nil, m{"m": m{"1": "a", "true": "b"}}},
		{"only the first document", "a.yaml", "namespace: app\nname: x\nkind: k\n---\nnamespace: app\nname: y\nkind: k\n", "app:x", "k", nil, m{}},
		{"empty list with a single entry", "a.yaml", "namespace: app\nentries: []\nname: x\nkind: k\n", "app:x", "k", nil, m{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantOne(t, mustLoad(t, c.file, c.text), c.id, c.kind, c.meta, c.data)
		})
	}
}

func TestLoadIgnoresForeignFiles(t *testing.T) {
	es := mustLoad(t,
		"compose.yaml", "services: {a: {image: x}}\n",
		"k8s.yaml", "kind: Pod\nname: x\n",
		"empty.yaml", "", "comment.yml", "# nothing\n", "list.yaml", "- 1\n", "scalar.json", "3",
		"blank.yaml", "namespace: '  '\nentries: [{name: x, kind: k}]\n",
		"zero.yaml", "namespace: app\nentries: []\n",
		"notes.txt", "namespace: app\nname: x\nkind: k\n",
		"node_modules/a.yaml", "namespace: app\nname: x\nkind: k\n",
	)
	if len(es) != 0 {
		t.Errorf("entries %v", es)
	}
}

func TestLoadReportsEveryProblemWithItsPosition(t *testing.T) {
	_, _, err := load(t, source.Options{},
		"a.yaml", "namespace: app\nentries:\n  - name: ok\n    kind: k\n  - name: x\n    knd: k\n  - kind: k\n    name: ''\n  - 3\n",
		"b.yaml", "namespace: app\nentries:\n  - name: s\n    kind: k\n    source: file://missing.lua\n    a: 1\n    a: 2\n",
		"c.yaml", "namespace: app\nentries:\n\t- name: s\n",
		"d.json", "{\n  \"namespace\": \"app\",\n  \"entries\": [}\n",
		"e.yaml", "namespace: app\n",
		"f.yaml", "namespace: app\nentries: {a: 1}\nmeta: 3\n",
		"g.yaml", "namespce: app\nentries:\n  - {name: x, kind: k}\n",
		"h.yaml", "namespace: app\nentries:\n  - {name: n, kind: k, v: .inf}\n  - {name: ok, kind: k}\n",
		"i.yaml", "namespace: app\nentries:\n  - {name: r, kind: k, v: &v [*v]}\n",
		"j.yaml", "namespace: app\nentries:\n  - name: z\n    kind: k\n    text: 'open\n",
		"k.yaml", "namespace: app\nentires: []\n",
	)
	var ps source.Problems
	if !errors.As(err, &ps) {
		t.Fatalf("error %v", err)
	}
	want := []string{
		`src/a.yaml:5:5: entry[1].kind: kind is required and must be a non-empty string ("knd": did you mean "kind"?)`,
		"src/a.yaml:8:11: entry[2].name: name is required and must be a non-empty string",
		"src/a.yaml:9:5: entries[3]: an entry must be a map",
		"src/b.yaml:5:13: entries[0].source: interpolation failed: failed to read file src/missing.lua: file does not exist (create the file, or correct the path)",
		`src/b.yaml:7:5: entries[0].a: key "a" is already defined at line 6, column 5`,
		"src/c.yaml:3:1: bad YAML: found character that cannot start any token (indent with spaces, not tabs)",
		"src/d.json:3:15: bad JSON: invalid character '}' looking for beginning of value",
		"src/e.yaml:1:12: entries: either entries array or single entry (name/kind) must be provided",
		"src/f.yaml:2:10: entries: entries must be a list",
		"src/f.yaml:3:7: meta: meta must be a map",
		`src/g.yaml:1:1: namespce: unknown field in a file of entries without a namespace (did you mean "namespace"?)`,
		`src/h.yaml:3:27: entries[0].v: number ".inf" is not representable`,
		`src/i.yaml:3:31: entries[0].v[0]: an alias refers to a value that contains it`,
		"src/j.yaml:5:5: bad YAML: found unexpected end of stream",
		`src/k.yaml:1:12: entries: either entries array or single entry (name/kind) must be provided ("entires": did you mean "entries"?)`,
	}
	got := strings.Split(ps.Error(), "\n")
	if !slices.Equal(got, want) {
		t.Errorf("problems:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLenientSkipsFilesWithAWarning(t *testing.T) {
	es, warnings, err := load(t, source.Options{Lenient: true},
		"a.yaml", "namespace: app\nentries:\n  - {name: one, kind: k}\n  - {name: two}\n",
		"b.yaml", "namespace: app\nentries:\n  - {name: x, kind: k, n: 1}\n",
		"c.yaml", "namespace: app\nentries:\n  - {name: x, kind: k, n: 2}\n",
	)
	if err != nil {
		t.Fatal(err)
	}
	wantOne(t, es, "app:x", "k", nil, m{"n": 2.0})
	if len(warnings) != 2 || !strings.Contains(warnings[0], "src/a.yaml:4:5: entry[1].kind: file skipped") ||
		!strings.Contains(warnings[1], "duplicate entries detected (will use last definition)") {
		t.Errorf("warnings %q", warnings)
	}
}

func TestDuplicateInOneTreeIsAProblemAcrossTreesTheLaterWins(t *testing.T) {
	_, _, err := load(t, source.Options{},
		"a.yaml", "namespace: app\nentries:\n  - {name: x, kind: k}\n",
		"b/c.yaml", "namespace: app\nentries:\n  - {name: y, kind: k}\n  - {name: x, kind: k}\n")
	if err == nil || err.Error() != "src/b/c.yaml:4:5: duplicate entry app:x, first defined at src/a.yaml:3:5 (rename or remove one of them)" {
		t.Errorf("error %v", err)
	}
	var warnings []string
	es, err := source.LoadTrees(t.Context(), []source.Tree{
		{Dir: "one", FS: tree("a.yaml", "namespace: app\nentries:\n  - {name: x, kind: k, n: 1}\n")},
		{Dir: "two", FS: tree("a.yaml", "namespace: app\nentries:\n  - {name: x, kind: k, n: 2, meta: {module: a}}\n"), Meta: m{"module": "org/mod"}},
	}, source.Options{Warn: func(p *source.Problem) { warnings = append(warnings, p.Error()) }})
	if err != nil {
		t.Fatal(err)
	}
	wantOne(t, es, "app:x", "k", m{"module": "org/mod"}, m{"n": 2.0})
	if len(warnings) != 1 {
		t.Errorf("warnings %q", warnings)
	}
}

func TestInterpolation(t *testing.T) {
	es := mustLoad(t,
		"app/a.yaml", "namespace: app\nmeta: {doc: file://doc.md}\nentries:\n  - name: x\n    kind: k\n    source: file://sub/x.lua\n    lib: file:///lib/l.lua\n    deep: [{s: file://../lib/l.lua}]\n    file://key: 1\n",
		"app/doc.md", "D", "app/sub/x.lua", "return 1\n", "lib/l.lua", "L")
	wantOne(t, es, "app:x", "k", m{"doc": "D"}, m{"source": "return 1\n", "lib": "L", "deep": []any{m{"s": "L"}}, "file://key": 1.0})

	for ref, want := range map[string]string{
		"file://":                      "empty file path in file:// URL",
		"file:///":                     "empty file path in file:// URL",
		"file://../../etc/passwd":      "path traversal detected in file path: ../../etc/passwd",
		"file:///../x":                 "path traversal detected in file path: /../x",
		"file://sub/../../../x":        "path traversal detected",
		"file://a\\0b":                 "failed to read file",
		"file:///app":                  "failed to read file",
		`"file://a\0b"`:                "invalid file path",
		"file://nothing/here/file.lua": "failed to read file src/app/nothing/here/file.lua",
	} {
		_, _, err := load(t, source.Options{}, "app/a.yaml", "namespace: app\nentries:\n  - name: x\n    kind: k\n    source: "+ref+"\n")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "src/app/a.yaml:5:13: entries[0].source: interpolation failed") {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestSymbolicLinksCannotLeaveTheTree(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "src")
	if err := errors.Join(
		os.Mkdir(src, 0o755),
		os.WriteFile(filepath.Join(dir, "secret"), []byte("s"), 0o600),
		os.Symlink(filepath.Join(dir, "secret"), filepath.Join(src, "link")),
		os.WriteFile(filepath.Join(src, "a.yaml"), []byte("namespace: app\nentries:\n  - {name: x, kind: k, s: 'file://link'}\n"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	_, err := source.Load(t.Context(), []string{src}, source.Options{})
	if err == nil || !strings.Contains(err.Error(), "path traversal detected in file path: link") {
		t.Errorf("error %v", err)
	}
}

func TestMissingDirectoryIsAWarning(t *testing.T) {
	var warnings []string
	es, err := source.Load(t.Context(), []string{filepath.Join(t.TempDir(), "none")}, source.Options{
		Warn: func(p *source.Problem) { warnings = append(warnings, p.Message) }})
	if err != nil || len(es) != 0 || !slices.Equal(warnings, []string{"path not found, skipping"}) {
		t.Errorf("%v, %v, %q", es, err, warnings)
	}
}

func TestSkippedDirectories(t *testing.T) {
	t.Setenv("SKIP_TEST_DIRS", "one, two")
	t.Setenv("SKIP_NETWORK_TESTS", "1")
	e := func(n string) string { return "namespace: app\nname: " + n + "\nkind: k\n" }
	es, _, err := load(t, source.Options{SkipDirs: []string{"a/b"}},
		"one/a.yaml", e("a"), "x/two/a.yaml", e("b"), "network/a.yaml", e("c"), "a/b/a.yaml", e("d"), "b/a.yaml", e("e"), ".hidden/a.yaml", e("f"), "sqs/a.yaml", e("g"))
	var names []string
	for _, e := range es {
		names = append(names, e.ID.Name)
	}
	if err != nil || !slices.Equal(names, []string{"f", "e", "g"}) {
		t.Errorf("%q, %v", names, err)
	}
}

func TestAliasesCannotExplode(t *testing.T) {
	var b strings.Builder
	b.WriteString("namespace: app\nname: x\nkind: k\na0: &a0 [1,1,1,1,1,1,1,1,1,1]\n")
	for i := range 9 {
		n := string(rune('0' + i))
		b.WriteString("a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " [" + strings.TrimSuffix(strings.Repeat("*a"+n+",", 10), ",") + "]\n")
	}
	_, _, err := load(t, source.Options{}, "a.yaml", b.String())
	if err == nil || !strings.Contains(err.Error(), "aliases expand to more than") {
		t.Errorf("error %v", err)
	}
}

func TestInexactIntegerIsAWarning(t *testing.T) {
	_, warnings, err := load(t, source.Options{}, "a.yaml", "namespace: app\nname: x\nkind: k\nn: 9007199254740993\nm: 18446744073709551615\nok: 9007199254740992\n")
	if err != nil || len(warnings) != 2 || !strings.HasPrefix(warnings[0], "src/a.yaml:4:4: n: integer 9007199254740993 cannot be represented exactly (quote it") {
		t.Errorf("%q, %v", warnings, err)
	}
}

func TestOriginMapsFieldsAndText(t *testing.T) {
	es := mustLoad(t,
		"app/a.yaml", `namespace: app
meta:
  owner: me
entries:
  - name: x
    kind: k
    meta:
      tags: [a, b]
    method: main
    source: file://x.lua
    inline: |
      local a = 1
      return a
    pool:
      size: 3
      "a.b": {c: 1}
  - name: y
    kind: k
    data:
      script: |-

          first
`,
		"app/x.lua", "return 1")
	x, y := es[0], es[1]
	for path, want := range map[string]string{
		"":                "src/app/a.yaml:5:5",
		"name":            "src/app/a.yaml:5:11",
		"kind":            "src/app/a.yaml:6:11",
		"meta":            "src/app/a.yaml:8:7",
		"meta.owner":      "src/app/a.yaml:3:10",
		"meta.tags.1":     "src/app/a.yaml:8:17",
		"data.method":     "src/app/a.yaml:9:13",
		"data.source":     "src/app/a.yaml:10:13",
		"data.pool.size":  "src/app/a.yaml:15:13",
		"data.pool.a.b.c": "src/app/a.yaml:16:18",
		"data.pool.none":  "src/app/a.yaml:15:7",
		"data.none":       "src/app/a.yaml:5:5",
		"nothing":         "src/app/a.yaml:5:5",
	} {
		if got := x.Position(path); got != want {
			t.Errorf("Position(%q) = %s, want %s", path, got, want)
		}
	}
	if got := x.SourceFile("data.source"); got != "src/app/x.lua" {
		t.Errorf("SourceFile(data.source) = %q", got)
	}
	if got := x.SourceFile("data.inline"); got != "" {
		t.Errorf("SourceFile(data.inline) = %q", got)
	}
	for _, c := range []struct {
		e         registry.Entry
		path      string
		line, col int
		want      string
	}{
		{x, "data.source", 3, 7, "src/app/x.lua:3:7"},
		{x, "data.inline", 2, 8, "src/app/a.yaml:13:14"},
		{x, "data.inline", 1, 0, "src/app/a.yaml:12"},
		{y, "data.script", 2, 1, "src/app/a.yaml:22:11"},
		{x, "data.method", 1, 3, "src/app/a.yaml:9:15"},
		{x, "data.none", 1, 1, "src/app/a.yaml:5:5"},
		{registry.Entry{}, "data.x", 1, 1, ""},
	} {
		if got := c.e.Locate(c.path, c.line, c.col); got != c.want {
			t.Errorf("Locate(%s, %d, %d) = %s, want %s", c.path, c.line, c.col, got, c.want)
		}
	}
}
