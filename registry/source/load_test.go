// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"errors"
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
		{"empty list with a single entry", "a.yaml", "namespace: app\nentries: []\nname: x\nkind: k\n", "app:x", "k", nil, m{}},
		{"entries share fields by merge keys", "a.yaml", "namespace: app\nx-base: &b {kind: k, p: 1, meta: {m: 1}}\nentries:\n  - {<<: *b, name: x, q: 2}\n",
			"app:x", "k", m{"m": 1.0}, m{"p": 1.0, "q": 2.0}},
		{"the first of several merged maps wins", "a.yaml", "namespace: app\nentries:\n  - {<<: [{kind: k}, {kind: no, a: 1}], name: x}\n", "app:x", "k", nil, m{"a": 1.0}},
		{"data may be merged in", "a.yaml", "namespace: app\nx: &b {data: {a: 1}}\nentries:\n  - {<<: *b, name: x, kind: k}\n", "app:x", "k", nil, m{"a": 1.0}},
		{"keys may be aliases", "a.yaml", "namespace: app\nentries:\n  - {name: &n x, kind: k, a: {*n : 1}}\n", "app:x", "k", nil, m{"a": m{"x": 1.0}}},
		{"integers of every base", "a.yaml", "namespace: app\nname: x\nkind: k\na: 0b11\nb: -0x1f\nc: 0o17\nd: +12\ne: 08\nf: !!int '7'\ng: !!float 3\nh: 18:30\n", "app:x", "k", nil,
			m{"a": 3.0, "b": -31.0, "c": 15.0, "d": 12.0, "e": 8.0, "f": 7.0, "g": 3.0, "h": "18:30"}},
		{"tags of other people", "a.yaml", "namespace: app\nname: x\nkind: k\na: !Ref b\nc: !thing {d: 1}\ne: !!timestamp 2024-01-02\nf: !!str 12\n", "app:x", "k", nil,
			m{"a": "b", "c": m{"d": 1.0}, "e": "2024-01-02", "f": "12"}},
		{"json with a byte order mark", "a.json", "\ufeff{\"namespace\":\"app\",\"name\":\"x\",\"kind\":\"k\"} \n", "app:x", "k", nil, m{}},
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
		"zero.yaml", "namespace: app\nentries: []\n", "null.yaml", "namespace: app\nentries:\n# - name: x\n",
		".#a.yaml", "not: [yaml",
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
		"l.yaml", "namespace: app\nname: x\nkind: k\na: !!int foo\nb: !!bool yes\nc: !!null x\nd: !!float y\n? ~\n: 1\n",
		"m.yaml", "namespace: app\nx: &d {p: 1, p: 2}\nentries:\n  - {name: m1, kind: k, a: *d, b: *d}\n  - {name: m2, kind: k, a: {<<: *d}}\n",
		"n.yaml", "namespace: [app]\n", "o.yaml", "namespace: a:b\nentries: []\nversion: [1]\n",
		"p.yaml", "namespace: app\nentries:\n  - {name: ok, kind: k}\n  - {name: p}\n",
		"q.yaml", "namespace: app\nname: file://gone\nkind: k\n",
		"r.yaml", "namespace: app\nx: &e {p: 1, p: 2}\nentries:\n  - {name: r1, kind: k, <<: *e}\n",
		"s.yaml", "namespace: app\nentries:\n  - &e {name: s1, <<: *e, kind: k}\n",
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
		"src/h.yaml:4:5: duplicate entry app:ok, first defined at src/a.yaml:3:5 (rename or remove one of them)",
		`src/i.yaml:3:31: entries[0].v[0]: an alias refers to a value that contains it`,
		"src/j.yaml:5:11: bad YAML: found unexpected end of stream (the quote opened here is never closed)",
		`src/k.yaml:1:12: entries: either entries array or single entry (name/kind) must be provided ("entires": did you mean "entries"?)`,
		"src/l.yaml:1:1: duplicate entry app:x, first defined at src/a.yaml:5:5 (rename or remove one of them)",
		`src/l.yaml:4:4: a: "foo" is no !!int`, `src/l.yaml:5:4: b: "yes" is no !!bool`, `src/l.yaml:6:4: c: "x" is no !!null`, `src/l.yaml:7:4: d: "y" is no !!float`,
		"src/l.yaml:8:3: a key must be a text or another scalar, and not null",
		`src/m.yaml:2:14: entries[0].a.p: key "p" is already defined at line 2, column 8`,
		"src/n.yaml:1:12: namespace: namespace must be a string",
		`src/o.yaml:1:12: namespace: namespace "a:b" must not contain ':'`,
		"src/o.yaml:3:10: version: version must be a string",
		"src/p.yaml:3:5: duplicate entry app:ok, first defined at src/a.yaml:3:5 (rename or remove one of them)",
		"src/p.yaml:4:5: entry[1].kind: kind is required and must be a non-empty string",
		"src/q.yaml:2:7: name: interpolation failed: failed to read file src/gone: file does not exist (create the file, or correct the path)",
		`src/r.yaml:2:14: entries[0].p: key "p" is already defined at line 2, column 8`,
		"src/s.yaml:3:23: entries[0]: an alias refers to a value that contains it",
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

func TestOmittedEntriesAreAsIfNotWritten(t *testing.T) {
	const text = "namespace: app\nentries:\n  - {name: x, kind: k, v: %}\n  - {name: y, kind: k, v: %}\n"
	var warnings []string
	es, err := source.LoadTrees(t.Context(), []source.Tree{
		{Dir: "a", FS: tree("_index.yaml", strings.ReplaceAll(text, "%", "1"))},
		{Dir: "b", FS: tree("_index.yaml", strings.ReplaceAll(text, "%", "2")), Meta: map[string]any{"module": "b"},
			Omit: func(e registry.Entry) bool { return e.ID.Name == "x" && e.Meta["module"] == "b" }},
	}, source.Options{Warn: func(p *source.Problem) { warnings = append(warnings, p.Error()) }})
	if err != nil || len(es) != 2 || len(warnings) != 1 {
		t.Fatal(es, warnings, err)
	}
	for i, want := range []float64{1, 2} {
		if got := es[i].Data.(map[string]any)["v"]; got != want {
			t.Errorf("%v has %v, want %v", es[i].ID, got, want)
		}
	}
}
