// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/historytest"
)

// shell runs a query with the program sqlite3, since that is what the documentation
// promises works. Where it is not installed, other than in CI, the driver stands in.
func shell(t *testing.T, path, query string) string {
	t.Helper()
	if program, err := exec.LookPath("sqlite3"); err == nil {
		out, err := exec.CommandContext(t.Context(), program, "-batch", path, query).CombinedOutput()
		if err != nil {
			t.Fatalf("sqlite3: %v %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if os.Getenv("CI") != "" {
		t.Fatal("sqlite3 is not installed")
	}
	t.Attr("left-out", "sqlite3 is not installed: queries are run by the driver")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		values, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		var line []string
		for _, v := range values {
			line = append(line, v.String)
		}
		lines = append(lines, strings.Join(line, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// The queries are those of the package documentation. The database is open meanwhile.
func TestDocumentedQueriesWorkInTheShellWhileTheDatabaseIsOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	h := open(t, path)
	defer h.Close()
	for i := uint64(1); i <= 3; i++ {
		r := historytest.SampleRecord(i, i-1)
		r.Comment = strings.ReplaceAll(strings.ReplaceAll(r.Comment, "\n", " "), "\x00", "")
		if err := h.Append(t.Context(), r, historytest.Sample(int(i))[:3]); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.SetHead(t.Context(), registry.Version{ID: 2}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		`SELECT * FROM log`: `0||||||0
1|0|2026-02-28T23:59:59.001Z|author ünï 1|first line second 'line'|+app.sub:e:1 ~app.sub:e:1 -app.sub:e:1|0
2|1|2026-02-28T23:59:59.002Z|||+app.sub:e:2 ~app.sub:e:2 -app.sub:e:2|1
3|2|2026-02-28T23:59:59.003Z|author ünï 3|first line second 'line'|+app.sub:e:3 ~app.sub:e:3 -app.sub:e:3|0`,
		`SELECT value FROM metadata WHERE key = 'schema_version'`:        "2",
		`SELECT value FROM metadata WHERE key = 'head'`:                  "2",
		`SELECT id FROM versions WHERE parent_id = 2`:                    "3",
		`SELECT hex(data) FROM changesets WHERE version_id = 0`:          "90", // an empty MessagePack array
		`SELECT count(*), min(length(data)) > 0 FROM changesets`:         "4|1",
		`SELECT strftime('%Y', time) FROM versions WHERE id = 1`:         "2026",
		`PRAGMA journal_mode`:                                            "wal",
		`PRAGMA integrity_check`:                                         "ok",
		`SELECT printf('%x', application_id) FROM pragma_application_id`: fmt.Sprintf("%x", "wreg"),
	} {
		if got := shell(t, path, query); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", query, got, want)
		}
	}
	if err := h.Append(t.Context(), historytest.SampleRecord(4, 2), nil); err != nil {
		t.Errorf("after the shell: %v", err)
	}
}

func TestSummaryIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	h := open(t, path)
	defer h.Close()
	var c registry.Changeset
	for i := range 1000 {
		c.DeleteEntry(registry.NewID("app", fmt.Sprint(i)))
	}
	if err := h.Append(t.Context(), historytest.SampleRecord(2, 0), c); err != nil {
		t.Fatal(err)
	}
	got := shell(t, path, `SELECT summary FROM versions WHERE id = 2`)
	if len(got) > 300 || !strings.HasPrefix(got, "-app:0 -app:1 ") || !strings.HasSuffix(got, " -app:19 and 980 more") {
		t.Errorf("summary %q", got)
	}
}
