// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// rendered are builders with what they make: SQL, then the values. A line that begins with ! is an error.
const rendered = `
b.select("a","b"):from("t"):where({b=1, a=sql.NULL}):where("c = ?", 2):limit(10)
= SELECT a, b FROM t WHERE a IS NULL AND b = ? AND c = ? LIMIT 10 | 1 2
b.select("*"):from("t"):where({id=1}):placeholder_format(b.dollar)
= SELECT * FROM t WHERE id = $1 | 1
b.select("*"):from("t"):where({id=1}):placeholder_format(b.at)
= SELECT * FROM t WHERE id = @p1 | 1
b.select("*"):from("t"):where({id=1}):placeholder_format(b.colon)
= SELECT * FROM t WHERE id = :1 | 1
b.select("a ?? 1"):from("t"):where({id=1}):placeholder_format(b.dollar)
= SELECT a ? 1 FROM t WHERE id = $1 | 1
b.select("a ?? 1"):from("t")
= SELECT a ?? 1 FROM t |
b.select("a"):distinct():from("t"):columns("b"):from("u")
= SELECT DISTINCT a, b FROM u |
b.select("a"):from("t"):join("x ON x.a = ?", 1):left_join("y"):right_join("z"):inner_join("w ON w.b = ?", "v")
= SELECT a FROM t JOIN x ON x.a = ? LEFT JOIN y RIGHT JOIN z INNER JOIN w ON w.b = ? | 1 v
b.select("a"):from("t"):group_by("a", "b"):having("count(*) > ?", 1):having({c = 2}):order_by("a"):order_by("b DESC"):limit(-3):offset(5.9):suffix("FOR UPDATE")
= SELECT a FROM t GROUP BY a, b HAVING count(*) > ? AND c = ? ORDER BY a, b DESC LIMIT 0 OFFSET 5 FOR UPDATE | 1 2
b.select("a"):from("t"):where("")
= SELECT a FROM t |
b.select("a"):from("t"):where({id = {1, 2, 3}})
= SELECT a FROM t WHERE id IS NULL |
b.select("a"):from("t"):where("a = ? AND b = ?", sql.as.float(5), nil):where({c = sql.as.int(7.5), d = sql.as.null()})
= SELECT a FROM t WHERE a = ? AND b = ? AND c = ? AND d IS NULL | 5 <nil> 7
b.select()
! select statements must have at least one result column
b.insert("t"):options("OR IGNORE"):columns("a","b"):values(1,"x"):values(2,sql.NULL):suffix("RETURNING id")
= INSERT OR IGNORE INTO t (a,b) VALUES (?,?),(?,?) RETURNING id | 1 x 2 <nil>
b.insert():into("t"):set_map({b = "y", a = true})
= INSERT INTO t (a,b) VALUES (?,?) | true y
b.insert("t"):prefix("WITH x AS (SELECT ?)", 7):columns("a"):values(1):select(b.select("a"):from("u"):where({k = 3}):placeholder_format(b.dollar)):placeholder_format(b.dollar)
= WITH x AS (SELECT $1) INSERT INTO t (a) SELECT a FROM u WHERE k = $2 | 7 3
b.insert("t"):columns("a"):values(b.expr("NOW()"))
= INSERT INTO t (a) VALUES (?) | <nil>
b.insert():columns("a"):values(1)
! insert statements must specify a table
b.insert("t")
! insert statements must have at least one set of values or select clause
b.update("t"):set("a", b.expr("a + ?", 1)):where({id=1})
= UPDATE t SET a = a + ? WHERE id = ? | 1 1
b.update():table("t"):set_map({b = sql.NULL, a = b.expr("NOW()"), c = {}}):where("id = ?", 1):order_by("id"):limit(2):offset(1):suffix("RETURNING a")
= UPDATE t SET a = NOW(), b = ?, c = ? WHERE id = ? ORDER BY id LIMIT 2 OFFSET 1 RETURNING a | <nil> <nil> 1
b.update("t"):set("a", nil):set("b", print):from("u")
= UPDATE t SET a = ?, b = ? FROM u | <nil> <nil>
b.update("t"):set("a", 1):from_select(b.select("x"):from("u"):where({k = 2}), "s"):placeholder_format(b.dollar)
= UPDATE t SET a = $1 FROM (SELECT x FROM u WHERE k = $2) AS s | 1 2
b.update("t")
! update statements must have at least one Set clause
b.update():set("a", 1)
! update statements must specify a table
b.delete("t"):where(b.or_({b.eq({a = 1}), {b = 2}})):order_by("a"):limit(1):offset(2):suffix("X")
= DELETE FROM t WHERE (a = ? OR b = ?) ORDER BY a LIMIT 1 OFFSET 2 X | 1 2
b.delete():from("t")
= DELETE FROM t |
b.delete()
! delete statements must specify a From table
b.or_({b.eq({a=1}), {b=2}})
= (a = ? OR b = ?) | 1 2
b.and_({b.gt({a = 1}), b.expr("x IS ?", sql.NULL)})
= (a > ? AND x IS ?) | 1 <nil>
b.and_({})
= (1=1) |
b.or_({})
= (1=0) |
b.and_({{a = 1}})
= (a = ?) | 1
b.eq({})
= (1=1) |
b.not_eq({})
= (1=1) |
b.lt({})
= |
b.not_eq({a = sql.NULL, b = 1, [7] = 8})
= a IS NOT NULL AND b <> ? | 1
b.lte({["COUNT(*)"] = 3, ["u.a"] = 1})
= COUNT(*) <= ? AND u.a <= ? | 3 1
b.gte({a = 1})
= a >= ? | 1
b.lt({a = sql.NULL})
! cannot use null with less than or greater than operators
b.like({b = "x%", a = "%y"})
= a LIKE ? AND b LIKE ? | %y x%
b.not_like({a = "z"})
= a NOT LIKE ? | z
b.like({a = {}})
! cannot use null with like operators
b.select("a"):from("t"):where(b.lt({a = sql.NULL}))
! cannot use null with less than or greater than operators
`

func TestBuildersRender(t *testing.T) {
	s := newSystem(t)
	lines := strings.Split(strings.TrimSpace(rendered), "\n")
	for i := 0; i < len(lines); i += 2 {
		want := strings.TrimSpace(lines[i+1][1:])
		got, err := s.Run(prelude + `local b = sql.builder
			local text, args = (` + lines[i] + `):to_sql()
			if not text then eq(args:kind(), "Invalid") return args:message() end
			local out, last = {}, 0
			for k in pairs(args) do last = math.max(last, k) end
			local _, params = text:gsub("a %?+ 1", ""):gsub("[?$]%d*", "")
			for k = 1, math.max(last, params) do
				local v = args[k]
				out[k] = v == nil and "<nil>" or tostring(v)
			end
			return text .. " | " .. table.concat(out, " ")`)
		if lines[i+1][0] == '!' {
			if err != nil || got != want {
				t.Errorf("%s\n\tgot  %v, %v\n\twant %s", lines[i], got, err, want)
			}
			continue
		}
		if err != nil || strings.TrimSpace(fmt.Sprint(got)) != want {
			t.Errorf("%s\n\tgot  %v, %v\n\twant %s", lines[i], got, err, want)
		}
	}
}

func TestBuildersAsObjects(t *testing.T) {
	newSystem(t).check(t, `
		local b = sql.builder
		local q = b.select("a"):from("t")
		local q2 = q:where({a = 1})
		eq((q:to_sql()), "SELECT a FROM t")
		eq(tostring(q2), "SelectBuilder: SELECT a FROM t WHERE a = ? [Args: [1]]")
		eq(tostring(b.select()), "SelectBuilder Error: select statements must have at least one result column")
		eq(tostring(b.insert("t"):columns("a"):values(sql.as.binary("x"))), "InsertBuilder: INSERT INTO t (a) VALUES (?) [Args: [x]]")
		eq(tostring(b.update("t"):set("a", 1)), "UpdateBuilder: UPDATE t SET a = ? [Args: [1]]")
		eq(tostring(b.delete("t")), "DeleteBuilder: DELETE FROM t [Args: []]")
		eq(tostring(b.eq({a = 1})), "SQL: a = ? [Args: [1]]")
		eq(b.question, b.default_placeholder)
		local function raises(text, f, ...)
			local ok, err = pcall(f, ...)
			eq(ok, false)
			assert(tostring(err):find(text, 1, true), tostring(err))
		end
		raises("string expected", b.select, 1)
		raises("expected table", b.eq) raises("expected table", b.eq, "x") raises("expected table", b.like, {}, {})
		raises("expected Sqlizer or table in AND condition, got number", b.and_, {1})
		raises("expected Sqlizer or table in OR condition, got string", b.or_, {"x"})
		for _, v in ipairs({1, true, print}) do raises("expected string, table, or Sqlizer", q.where, q, v) end
		raises("expected string, table, or Sqlizer", q.where, q)
		raises("expected string, table, or Sqlizer", q.having, q, sql.NULL)
		raises("value or Sqlizer expected", function() return b.update("t"):set("a", q) end)
		raises("placeholder format expected", q.placeholder_format, q, "$")
		raises("database or transaction expected", q.run_with, q, "x")
		raises("database or transaction expected", q.run_with, q)
		raises("number expected", q.limit, q, "many")
		raises("SelectBuilder expected", function() return b.insert("t"):select("SELECT 1") end)
		fails("Invalid", "select statements must have at least one result column", b.select():run_with(db))`)
}

func TestBuiltStatementsRun(t *testing.T) {
	newSystem(t).check(t, `
		local b = sql.builder
		assert(db:execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER)"))
		local ins = assert(b.insert("t"):columns("name", "n"):values("a", 1):values("b", sql.NULL):run_with(db))
		eq(assert(ins:exec()).rows_affected, 2)
		eq(assert(ins:exec()).last_insert_id, 4)
		eq(tostring(ins), "QueryExecutor: INSERT INTO t (name,n) VALUES (?,?),(?,?) [Args: 4]")
		local text, args = ins:to_sql()
		eq(text, "INSERT INTO t (name,n) VALUES (?,?),(?,?)") eq(args[3], "b") eq(args[4], nil)
		local q = b.select("count(*) AS c"):from("t")
		local tx = assert(db:begin())
		assert(assert(b.delete("t"):where(b.not_eq({n = sql.NULL})):run_with(tx)):exec())
		local inside = assert(q:run_with(tx))
		eq(assert(inside:query())[1].c, 2)
		assert(tx:rollback())
		local err = fails("", "sql: transaction has already been committed or rolled back", inside:query())
		eq(err:retryable(), nil)
		fails("", nil, inside:exec())
		eq(assert(q:where("name = ?", "a"):run_with(db)):query()[1].c, 2)
		fails("", nil, assert(b.update("t"):set("n", 1):where(""):run_with(db)):exec())`)
}

// Whatever a value looks like, it arrives as it is and changes nothing else.
func TestValuesAreNeverPartOfAStatement(t *testing.T) {
	s := newSystem(t)
	s.check(t, `assert(db:execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"))`)
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(
			rapid.SampledFrom([]string{"'; DROP TABLE t; --", `" OR 1=1`, "?", "??", "$1", ":a", "@p1", "\\'", "%_", "a\x00b", ""}),
			rapid.String(),
		).Draw(rt, "text")
		s.check(t, `
			local b, text = sql.builder, ...
			assert(db:execute("DELETE FROM t"))
			assert(assert(b.insert("t"):set_map({v = text}):run_with(db)):exec())
			assert(db:execute("INSERT INTO t (v) VALUES (?); INSERT INTO t (v) VALUES (:v)", {text, text}))
			local q = b.select("v"):from("t"):where(b.and_({{v = text}, b.expr("v = ?", text), b.not_eq({v = text .. "x"})})):where("v = ?", text)
			local rows = assert(assert(q:run_with(db)):query())
			eq(#rows, 3)
			eq(rows[3].v, text)
			local tx = assert(db:begin())
			local ok, err = tx:savepoint(text)
			if not text:find("^[A-Za-z0-9_]+$") then fails("Invalid", nil, ok, err) end
			assert(tx:rollback())
			eq(#db:query("SELECT 1 FROM t"), 3)`, text)
	})
}
