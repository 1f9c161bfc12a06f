// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"strings"
	"testing"

	"github.com/wippyrun/kit/wippy/service/sql"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func TestBadEntriesNameTheField(t *testing.T) {
	server := map[string]any{"host": "h", "port": 5432, "database": "d", "username": "u", "password": "p"}
	without := func(field string) map[string]any {
		data := with(server, nil)
		delete(data, field)
		return data
	}
	for _, c := range []struct {
		kind string
		data any
		want string
	}{
		{sql.KindSQLite, nil, "file path is required"},
		{sql.KindSQLite, map[string]any{"file": ""}, "file path is required"},
		{sql.KindSQLite, map[string]any{"file": []any{"a"}}, "file must be a string"},
		{sql.KindSQLite, map[string]any{"file": ":memory:", "pool": map[string]any{"max_lifetime": 5}}, "max_lifetime must be a duration"},
		{sql.KindSQLite, "x", "configuration data must be a map"},
		{sql.KindPostgres, without("host"), "host is required"},
		{sql.KindPostgres, without("port"), "port must be greater than 0"},
		{sql.KindPostgres, with(server, map[string]any{"port": -1}), "port must be greater than 0"},
		{sql.KindPostgres, with(server, map[string]any{"port": "many"}), "invalid port value from env"},
		{sql.KindPostgres, with(server, map[string]any{"port": 1.5}), "invalid port value"},
		{sql.KindPostgres, with(server, map[string]any{"port": true}), "port must be a whole number"},
		{sql.KindPostgres, without("database"), "database is required"},
		{sql.KindPostgres, without("username"), "username is required"},
		{sql.KindPostgres, without("password"), "password is required"},
		{sql.KindPostgres, with(server, map[string]any{"options": "sslmode=off"}), "options must be a map"},
		{sql.KindPostgres, with(server, map[string]any{"options": map[string]any{"sslmode": "perhaps"}}), "sslmode"},
		{sql.KindPostgres, with(server, map[string]any{"pool": map[string]any{"max_open": "x"}}), "invalid max_open value"},
		{sql.KindMySQL, without("host"), "host is required"},
		{sql.KindMySQL, with(server, map[string]any{"options": map[string]any{"parseTime": "perhaps"}}), "invalid bool value"},
		{sql.KindMySQL, with(server, map[string]any{"lifecycle": map[string]any{"auto_start": "x"}}), "auto_start"},
		{"db.sql.other", server, "not a database kind"},
	} {
		s := newSystem(t)
		e := entry("app:db", c.kind, nil)
		e.Data = c.data
		err := s.Create(t.Context(), e)
		if err == nil || !strings.Contains(err.Error(), c.want) || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s %v: %v (%s), want %q", c.kind, c.data, err, fault.KindOf(err), c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
		if _, err := s.Get("app:db"); err == nil || len(s.services) > 0 {
			t.Errorf("%v: something was registered", c.data)
		}
	}
}

func TestUnknownFieldsAreWarnings(t *testing.T) {
	s := newSystem(t)
	s.open(t, entry("app:db", sql.KindPostgres, map[string]any{
		"host": "h", "port": "5432", "database": "d", "username": "u", "password": 1234, "host_env": "NOWHERE", "pasword": "x",
		"options": map[string]any{"connect_timeout": 3, "sslmode": "disable"}, "pool": map[string]any{"max_opn": 3},
	}))
	var paths []string
	for _, w := range s.warnings {
		paths = append(paths, w.Path+" "+w.Hint)
	}
	if got := strings.Join(paths, ", "); got != `data.pasword did you mean "password"?, data.pool.max_opn did you mean "max_open"?` {
		t.Errorf("warnings %s", got)
	}
}
