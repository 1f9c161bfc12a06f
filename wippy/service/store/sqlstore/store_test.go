// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/sql"
	"github.com/wippyrun/kit/wippy/service/sql/sqltest"
	"github.com/wippyrun/kit/wippy/service/store"
	"github.com/wippyrun/kit/wippy/service/store/sqlstore"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

func TestMain(m *testing.M) { sqltest.Main(m) }

// services keeps what would be supervised.
type services map[string]supervisor.Service

func (s services) Register(id string, service supervisor.Service, _ supervisor.Lifecycle, _ []string) error {
	s[id] = service
	return nil
}

func (s services) Remove(id string) error {
	delete(s, id)
	return nil
}

// system has databases and stores.
type system struct {
	services
	databases sql.Table
	stores    store.Table
	listener  *sqlstore.Listener
}

func newSystem(t *testing.T, database registry.Entry) (*system, *sql.Database) {
	t.Helper()
	s := &system{services: services{}}
	warn := func(registry.Entry, []fields.Warning) {}
	databases := sql.NewListener(sql.Deps{Databases: &s.databases, Supervisor: s.services, Warn: warn})
	if err := databases.Create(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	databases.Committed(t.Context())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := databases.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	s.listener = sqlstore.NewListener(sqlstore.Deps{
		Databases: &s.databases, Stores: &s.stores, Supervisor: s.services, Transcoder: payload.NewDefault(),
		Log: slog.New(slog.DiscardHandler), Warn: warn,
	})
	d, err := s.databases.Get(database.ID.String())
	if err != nil {
		t.Fatal(err)
	}
	return s, d
}

func entry(id, kind string, data map[string]any) registry.Entry {
	return registry.Entry{ID: registry.ParseID(id), Kind: kind, Data: data}
}

// start makes the store of an entry and starts it.
func (s *system) start(t *testing.T, data map[string]any) store.Store {
	t.Helper()
	if err := s.listener.Create(t.Context(), entry("app:kv", sqlstore.Kind, data)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.services["app:kv"].Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.services["app:kv"].Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	kv, err := s.stores.Get("app:kv")
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

// tables are databases with the statement that makes the table of a store.
func tables(t *testing.T) map[string]registry.Entry {
	out := map[string]registry.Entry{
		"CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB, expires_at TIMESTAMP)": entry("app:db", sql.KindSQLite, map[string]any{"file": ":memory:"}),
	}
	if server := sqltest.Postgres(t); server != nil {
		out["CREATE TABLE kv (key TEXT PRIMARY KEY, value BYTEA, expires_at TIMESTAMP)"] = entry("app:db", server.Kind, server.Data(nil))
	}
	if server := sqltest.MariaDB(t); server != nil {
		out["CREATE TABLE kv (`key` VARCHAR(190) PRIMARY KEY, value BLOB, expires_at DATETIME(6) NULL)"] = entry("app:db", server.Kind, server.Data(nil))
	}
	return out
}

func each(t *testing.T, test func(t *testing.T, s *system, d *sql.Database)) {
	for table, database := range tables(t) {
		t.Run(database.Kind, func(t *testing.T) {
			s, d := newSystem(t, database)
			for _, text := range []string{"DROP TABLE IF EXISTS kv", table} {
				if _, err := d.Exec(t.Context(), text, nil); err != nil {
					t.Fatal(err)
				}
			}
			test(t, s, d)
		})
	}
}

func value(v any) payload.Payload { return payload.New(v) }

func TestStoreOnEveryKind(t *testing.T) {
	each(t, func(t *testing.T, s *system, d *sql.Database) {
		kv, ctx := s.start(t, map[string]any{"database": "db", "table_name": "kv"}), t.Context()
		text := func(key string) string {
			e, err := kv.Get(ctx, key)
			if err != nil {
				return err.Error()
			}
			p, err := payload.NewDefault().Transcode(e.Value, payload.Go)
			if err != nil {
				return err.Error()
			}
			return fmt.Sprint(p.Data)
		}
		put := func(key string, v any, o store.PutOptions) {
			t.Helper()
			if version, err := kv.Put(ctx, key, value(v), o); err != nil || version != 0 {
				t.Errorf("put %s: %d, %v", key, version, err)
			}
		}
		put("a:b", map[string]any{"n": 1.0, "l": []any{"x", true, nil}}, store.PutOptions{})
		if got := text("a:b"); got != "map[l:[x true <nil>] n:1]" {
			t.Errorf("get: %s", got)
		}
		put("a:b", "again", store.PutOptions{})
		if got := text("a:b"); got != "again" {
			t.Errorf("replaced: %s", got)
		}
		if got := text("a:none"); got != store.ErrNotFound.Error() {
			t.Errorf("missing: %s", got)
		}
		for key, want := range map[string]bool{"a:b": true, "a:none": false, "'; DROP TABLE kv; --": false} {
			if got, err := kv.Has(ctx, key); err != nil || got != want {
				t.Errorf("has %s: %v, %v", key, got, err)
			}
		}
		for _, c := range []struct {
			o    store.PutOptions
			want error
		}{
			{store.PutOptions{OnlyIfAbsent: true}, store.ErrNotSupported},
			{store.PutOptions{IfVersion: 1}, store.ErrNotSupported},
			{store.PutOptions{TTL: -1}, store.ErrOptions},
		} {
			if _, err := kv.Put(ctx, "a:c", value(1), c.o); !errors.Is(err, c.want) {
				t.Errorf("%+v: %v", c.o, err)
			}
		}
		// A key whose time has come is absent, and may be written again.
		put("ttl:gone", 1, store.PutOptions{TTL: time.Nanosecond})
		put("ttl:late", 2, store.PutOptions{TTL: time.Hour})
		for now := time.Now(); time.Since(now) < 2*time.Microsecond; {
		}
		if has, err := kv.Has(ctx, "ttl:gone"); err != nil || has {
			t.Errorf("an expired key is there: %v", err)
		}
		if err := kv.Delete(ctx, "ttl:gone"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("deleting an expired key: %v", err)
		}
		if got := text("ttl:late"); got != "2" {
			t.Errorf("before its time: %s", got)
		}
		put("ttl:gone", 3, store.PutOptions{})
		if got := text("ttl:gone"); got != "3" {
			t.Errorf("written again: %s", got)
		}
		for _, want := range []error{nil, store.ErrNotFound} {
			if err := kv.Delete(ctx, "a:b"); !errors.Is(err, want) {
				t.Errorf("delete: %v, want %v", err, want)
			}
		}
		// The order of bytes, which none of the databases need sort by.
		for _, key := range []string{"l:B", "l:a", "l:Z", "l:é", "l:_", "l:10", "l:9", "m:x", ":l"} {
			put(key, key, store.PutOptions{})
		}
		list := func(o store.ListOptions) string {
			page, err := kv.List(ctx, o)
			if err != nil {
				return err.Error()
			}
			var keys []string
			for _, e := range page.Items {
				keys = append(keys, e.Key)
			}
			return fmt.Sprint(strings.Join(keys, " "), " | ", page.Cursor, " ", page.More)
		}
		for o, want := range map[store.ListOptions]string{
			{Prefix: "l:"}:                         "l:10 l:9 l:B l:Z l:_ l:a l:é | l:é false",
			{Prefix: "l:", Limit: 2}:               "l:10 l:9 | l:9 true",
			{Prefix: "l:", After: "l:Z", Limit: 3}: "l:_ l:a l:é | l:é false",
			{Prefix: "l:\U0010FFFF"}:               " |  false",
			{After: "l:é"}:                         "m:x ttl:gone ttl:late | ttl:late false",
			{Limit: 1}:                             ":l | :l true",
			{Prefix: "nothing"}:                    " |  false",
		} {
			if got := list(o); got != want {
				t.Errorf("list %+v: %s, want %s", o, got, want)
			}
		}
		if got := kv.Info(); got != (store.Info{Backend: "sql", Consistency: "local", Durable: true, List: true, TTL: true}) {
			t.Errorf("info %+v", got)
		}
		if stats := d.Stats(); stats.InUse != 0 {
			t.Errorf("%d connections are in use", stats.InUse)
		}
	})
}

func TestConcurrentWritersOfOneKey(t *testing.T) {
	each(t, func(t *testing.T, s *system, _ *sql.Database) {
		kv := s.start(t, map[string]any{"database": "app:db", "table_name": "kv"})
		var writers sync.WaitGroup
		for w := range 8 {
			writers.Go(func() {
				for i := range 20 {
					if _, err := kv.Put(t.Context(), fmt.Sprint("k:", i), value(w), store.PutOptions{}); err != nil {
						// Only one that says so itself may lose.
						if again, _ := fault.RetryableOf(err); !again {
							t.Errorf("writer %d: %v", w, err)
						}
					}
				}
			})
		}
		writers.Wait()
		if page, err := kv.List(t.Context(), store.ListOptions{}); err != nil || len(page.Items) != 20 {
			t.Errorf("%d keys, %v", len(page.Items), err)
		}
	})
}

func TestExpiredRowsAreDeleted(t *testing.T) {
	each(t, func(t *testing.T, s *system, d *sql.Database) {
		kv := s.start(t, map[string]any{"database": "app:db", "table_name": "kv", "cleanup_interval": "5ms"})
		for key, ttl := range map[string]time.Duration{"a:gone": time.Nanosecond, "a:late": time.Hour, "a:ever": 0} {
			if _, err := kv.Put(t.Context(), key, value(1), store.PutOptions{TTL: ttl}); err != nil {
				t.Fatal(err)
			}
		}
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for limit := time.Now().Add(2 * time.Minute); ; <-tick.C {
			var left int
			err := d.Query(t.Context(), "SELECT COUNT(*) FROM kv", nil, func(rows *stdsql.Rows) error {
				rows.Next()
				return rows.Scan(&left)
			})
			if err != nil {
				t.Fatal(err)
			}
			if left == 2 {
				return
			}
			if time.Now().After(limit) {
				t.Fatalf("%d rows are left", left)
			}
		}
	})
}

func TestServiceNeedsItsDatabase(t *testing.T) {
	s, _ := newSystem(t, entry("app:db", sql.KindSQLite, map[string]any{"file": ":memory:"}))
	if err := s.listener.Create(t.Context(), entry("app:kv", sqlstore.Kind, map[string]any{"database": "none", "table_name": "kv"})); err != nil {
		t.Fatal(err)
	}
	_, err := s.services["app:kv"].Start(t.Context())
	if again, _ := fault.RetryableOf(err); fault.KindOf(err) != fault.Unavailable || !again {
		t.Errorf("%v (%s)", err, fault.KindOf(err))
	}
	kv := s.start(t, map[string]any{"database": "db", "table": "missing"})
	if _, err := kv.Get(t.Context(), "a:b"); err == nil || !strings.Contains(err.Error(), "no such table: missing") {
		t.Errorf("table that is not there: %v", err)
	}
}

func TestBadEntriesNameTheField(t *testing.T) {
	s, _ := newSystem(t, entry("app:db", sql.KindSQLite, map[string]any{"file": ":memory:"}))
	good := map[string]any{"database": "my-data.base", "table_name": "kv"}
	for field, cases := range map[string]map[any]string{
		"database":            {"": "database is required"},
		"table_name":          {"": "table_name is required", "a b": "invalid characters", "1a": "invalid characters", "Order": "reserved word", strings.Repeat("x", 64): "longer than 63"},
		"id_column_name":      {"a;b": "invalid characters", 1.0: "must be a string"},
		"payload_column_name": {"values": "reserved word"},
		"expire_column_name":  {`x"`: "invalid characters"},
		"cleanup_interval":    {"-1s": "must be non-negative", 5.0: "must be a duration"},
	} {
		for v, want := range cases {
			data := map[string]any{field: v}
			for k, g := range good {
				if k != field {
					data[k] = g
				}
			}
			err := s.listener.Create(t.Context(), entry("app:kv", sqlstore.Kind, data))
			if err == nil || !strings.Contains(err.Error(), want) || fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s = %v: %v, want %q", field, v, err, want)
			}
		}
	}
	if err := s.listener.Create(t.Context(), entry("app:kv", sqlstore.Kind, good)); err != nil {
		t.Error(err)
	}
}
