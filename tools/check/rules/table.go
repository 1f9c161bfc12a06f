// SPDX-License-Identifier: Apache-2.0

package rules

import "strings"

// prefix is the module path that all modules of the repository share.
const prefix = "github.com/wippyrun/kit/"

// row says what the code of one module may import besides the standard library and
// itself.
type row struct {
	// dir is the module's directory; nested modules follow the row of the
	// closest directory above.
	dir string
	// ours are directories of other modules, all of them when anyOurs is set.
	ours    []string
	anyOurs bool
	// others are path prefixes of other people's modules, all of them when
	// anyOthers is set.
	others    []string
	anyOthers bool
	// primitive modules stand alone and carry their own documents, examples,
	// benchmarks and property tests.
	primitive bool
	// cold primitives run once per program and have no hot path to keep free of
	// allocations.
	cold bool
}

const (
	msgpackPath = "github.com/vmihailenco/msgpack/v5"
	syncPath    = "golang.org/x/sync"
	xsyncPath   = "github.com/puzpuzpuz/xsync/v3"
	xxhashPath  = "github.com/cespare/xxhash/v2"
	yamlPath    = "gopkg.in/yaml.v3"
)

// table is the import table. Its top-level directories are the only ones the
// repository has.
var table = []row{
	{dir: "appctx", primitive: true},
	{dir: "benchmarks", anyOurs: true, anyOthers: true},
	{dir: "eventbus", primitive: true},
	{dir: "loader", primitive: true, cold: true, others: []string{syncPath}},
	{dir: "luart", primitive: true, ours: []string{"scheduler", "relay"},
		others: []string{"github.com/yuin/gopher-lua", xxhashPath, syncPath}},
	{dir: "luart/modules", ours: []string{"luart", "scheduler", "relay"}, anyOthers: true},
	{dir: "mailbox", primitive: true},
	{dir: "registry", primitive: true,
		others: []string{xxhashPath, yamlPath, "modernc.org/sqlite", xsyncPath, syncPath, msgpackPath}},
	{dir: "relay", primitive: true, ours: []string{"mailbox"}, others: []string{xsyncPath, yamlPath, msgpackPath}},
	{dir: "scheduler", primitive: true, others: []string{xsyncPath}},
	{dir: "tools", anyOthers: true},
	{dir: "wippy", anyOurs: true, anyOthers: true},
}

// testOnly are modules that any test may use.
var testOnly = []string{"pgregory.net/rapid", "go.uber.org/goleak", "github.com/rogpeppe/go-internal"}

// rowFor returns the row that governs the module in dir, nil when none does.
func rowFor(dir string) *row {
	var best *row
	for i := range table {
		if r := &table[i]; within(dir, r.dir) && (best == nil || len(r.dir) > len(best.dir)) {
			best = r
		}
	}
	return best
}

// within reports whether a path is root or below it.
func within(path, root string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (rest == "" || rest[0] == '/')
}

// standard reports whether an import path is of the standard library: its first
// element has no dot.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
